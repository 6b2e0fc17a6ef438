// Transposition, gathering by strides, nearest-neighbour enlargement: copies only.
#include <string.h>

#include "table.h"

typedef struct Transposition {
  const float *x;
  float *y;
  long rows, columns;
} Transposition;

static void transpose_one(void *context, long sample) {
  const Transposition *t = context;
  enum { Tile = 16 };
  const float *x = t->x + sample * t->rows * t->columns;
  float *y = t->y + sample * t->rows * t->columns;
  for (long r = 0; r < t->rows; r += Tile)
    for (long c = 0; c < t->columns; c += Tile) {
      const long rows = minimum(t->rows, r + Tile), columns = minimum(t->columns, c + Tile);
      for (long j = c; j < columns; j++)
        for (long i = r; i < rows; i++) y[j * t->rows + i] = x[i * t->columns + j];
    }
}
void kernel_transpose(const float *x, long batch, long rows, long columns, float *y) {
  Transposition t = {x, y, rows, columns};
  kernel_parallel(batch, transpose_one, &t);
}

void kernel_gather(const float *x, long rank, const long *shape, const long *strides, float *y) {
  long total = 1;
  for (long i = 0; i < rank; i++) total *= shape[i];
  if (total == 0) return;
  if (rank == 0) {
    *y = *x;
    return;
  }
  const long inner = shape[rank - 1], stride = strides[rank - 1];
  long index[8] = {0};
  for (long done = 0; done < total; done += inner) {
    const float *from = x;
    for (long i = 0; i < rank - 1; i++) from += index[i] * strides[i];
    if (stride == 1) memcpy(y + done, from, (size_t)inner * sizeof(float));
    else
      for (long i = 0; i < inner; i++) y[done + i] = from[i * stride];
    for (long i = rank - 2; i >= 0; i--) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
}

typedef struct Enlargement {
  const float *x;
  float *y;
  long width, channels;
} Enlargement;
static void enlarge_row(void *context, long row) {
  const Enlargement *e = context;
  const size_t bytes = (size_t)e->channels * sizeof(float);
  const long length = 2 * e->width * e->channels;
  float *y = e->y + row * 2 * length;
  for (long w = 0; w < e->width; w++) {
    const float *from = e->x + (row * e->width + w) * e->channels;
    memcpy(y + 2 * w * e->channels, from, bytes);
    memcpy(y + (2 * w + 1) * e->channels, from, bytes);
  }
  memcpy(y + length, y, (size_t)length * sizeof(float));
}
void kernel_upsample(
    const float *x, long batch, long height, long width, long channels, float *y) {
  Enlargement e = {x, y, width, channels};
  kernel_parallel(batch * height, enlarge_row, &e);
}
