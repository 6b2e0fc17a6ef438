// Cutting of attention. Where there are many heads a unit is one head of one sample; where there
// are few (an autoencoder has one) the values are transposed first and queries are cut as well.
#include <stddef.h>

#include "table.h"

enum { QueriesPerUnit = 128, ManyHeads = 8, KeyBlock = 512, QueryBlock = 32 };

typedef struct Work {
  const KernelAttention *attention;
  float *values;  // [batch · heads][width][keys], or null
  long chunks;
} Work;

static void transpose_values(const KernelAttention *g, long pair, float *to) {
  const long stride = g->heads * g->width;
  const float *v = g->v + pair / g->heads * g->keys * stride + pair % g->heads * g->width;
  enum { Tile = 16 };
  for (long first = 0; first < g->keys; first += Tile) {
    const long end = minimum(first + Tile, g->keys);
    for (long i = 0; i < g->width; i++)
      for (long key = first; key < end; key++) to[i * g->keys + key] = v[key * stride + i];
  }
}

static void attend_queries(
    const KernelAttention *g, long pair, long first, long last, const float *values) {
  float *scratch = kernel_scratch(ScratchAttention, (2 * g->width + KeyBlock) * QueryBlock);
  for (long query = first; query < last; query += QueryBlock)
    kernel_table()->attend(g, pair / g->heads, pair % g->heads, query, values, scratch);
}

static void transpose_unit(void *context, long pair) {
  const Work *w = context;
  const KernelAttention *g = w->attention;
  transpose_values(g, pair, w->values + pair * g->width * g->keys);
}
static void chunk_unit(void *context, long unit) {
  const Work *w = context;
  const KernelAttention *g = w->attention;
  const long pair = unit / w->chunks, first = unit % w->chunks * QueriesPerUnit;
  attend_queries(
      g, pair, first, minimum(first + QueriesPerUnit, g->queries),
      w->values + pair * g->width * g->keys);
}
static void head_unit(void *context, long pair) {
  const KernelAttention *g = ((const Work *)context)->attention;
  float *values = kernel_scratch(ScratchValues, g->width * g->keys);
  transpose_values(g, pair, values);
  attend_queries(g, pair, 0, g->queries, values);
}

void kernel_attention(const KernelAttention *attention) {
  if (attention->queries == 0 || attention->keys == 0) return;
  const long pairs = attention->batch * attention->heads;
  Work w = {attention, NULL, (attention->queries + QueriesPerUnit - 1) / QueriesPerUnit};
  if (pairs >= ManyHeads || w.chunks == 1) {
    kernel_parallel(pairs, head_unit, &w);
    return;
  }
  const long count = pairs * attention->width * attention->keys;
  w.values = kernel_allocate(count);
  kernel_parallel(pairs, transpose_unit, &w);
  kernel_parallel(pairs * w.chunks, chunk_unit, &w);
  kernel_release(w.values, count);
}
