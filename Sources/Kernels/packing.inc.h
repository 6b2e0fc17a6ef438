// From a checkpoint's numbers to the panels that the product reads. Formats are expanded and rows
// transposed on the way, so that a weight is read once and written once.
#include "vector.h"

typedef uint16_t LooseHalf __attribute__((aligned(1), may_alias));
typedef Lanes UnalignedLanes __attribute__((aligned(1), may_alias));

// binary16: shifted into place the exponent is 112 too small, which one multiplication mends for
// normal and subnormal numbers alike; infinities and NaNs get theirs back.
INLINE Lanes lanes_from_half(HalfLanes x) {
#if WIDE_TILES  // AVX-512 has an instruction
  typedef _Float16 Float16Lanes __attribute__((ext_vector_type(16)));
  Float16Lanes halves;
  memcpy(&halves, &x, sizeof halves);
  return __builtin_convertvector(halves, Lanes);
#else
  const BitLanes bits = __builtin_convertvector(x, BitLanes);
  const BitLanes magnitude = (bits & 0x7FFF) << 13;
  Lanes scaled;
  memcpy(&scaled, &magnitude, sizeof scaled);
  scaled *= 0x1p112f;
  BitLanes found;
  memcpy(&found, &scaled, sizeof found);
  const BitLanes is_special = (BitLanes)((bits & 0x7C00) == 0x7C00);
  const BitLanes special = is_special & (0x7F800000 | (bits & 0x3FF) << 13);
  found |= special | (bits & 0x8000) << 16;
  memcpy(&scaled, &found, sizeof scaled);
  return scaled;
#endif
}
INLINE Lanes lanes_from_bfloat(HalfLanes x) {
  const BitLanes bits = __builtin_convertvector(x, BitLanes) << 16;
  Lanes found;
  memcpy(&found, &bits, sizeof found);
  return found;
}

INLINE Lanes lanes_from(KernelFormat format, const void *x, long i) {
  if (format == KernelFloat32) return *(const UnalignedLanes *)((const char *)x + 4 * i);
  const HalfLanes half = *(const LooseHalfLanes *)((const char *)x + 2 * i);
  return format == KernelFloat16 ? lanes_from_half(half) : lanes_from_bfloat(half);
}
INLINE void expand_with(KernelFormat format, const void *x, long count, float *y) {
  long i = 0;
  for (; i + 16 <= count; i += 16) lanes_store(y + i, lanes_from(format, x, i));
  if (i == count) return;
  char rest[64] = {0};
  const long size = format == KernelFloat32 ? 4 : 2;
  memcpy(rest, (const char *)x + i * size, (size_t)((count - i) * size));
  lanes_store_first(y + i, count - i, lanes_from(format, rest, 0));
}
static void expand(KernelFormat format, const void *x, long count, float *y) {
  if (format == KernelFloat32) expand_with(KernelFloat32, x, count, y);
  else if (format == KernelFloat16) expand_with(KernelFloat16, x, count, y);
  else expand_with(KernelBFloat16, x, count, y);
}

static void pair(const float *first, const float *second, float *to) {
  lanes_store(to, lanes_paired(lanes_load(first), lanes_load(second)));
}
static void halve(const float *x, long count, float *to) {
  uint16_t *y = (uint16_t *)to;
  long i = 0;
  for (; i + 16 <= count; i += 16) lanes_store_halves(y + i, lanes_load(x + i));
  if (i == count) return;
  uint16_t rest[16];
  lanes_store_halves(rest, lanes_load_first(x + i, count - i, 0));
  memcpy(y + i, rest, (size_t)(count - i) * sizeof *y);
}

// Swaps bit `h` of the row's number with bit `h` of the lane's; all four of them transpose.
#define EXCHANGE(h, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, m0, m1,   \
                 m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)                      \
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) {                                 \
    if (i & h) continue;                                                                            \
    const Lanes a = r[i], b = r[i + h];                                                             \
    r[i] = __builtin_shufflevector(                                                                 \
        a, b, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15);                \
    r[i + h] = __builtin_shufflevector(                                                             \
        a, b, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);                \
  }
INLINE void transpose_16(Lanes r[16]) {
  EXCHANGE(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8, 9, 10, 11, 12, 13, 14, 15,
           24, 25, 26, 27, 28, 29, 30, 31)
  EXCHANGE(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27, 4, 5, 6, 7, 20, 21, 22, 23,
           12, 13, 14, 15, 28, 29, 30, 31)
  EXCHANGE(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29, 2, 3, 18, 19, 6, 7, 22, 23,
           10, 11, 26, 27, 14, 15, 30, 31)
  EXCHANGE(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30, 1, 17, 3, 19, 5, 21, 7, 23,
           9, 25, 11, 27, 13, 29, 15, 31)
}

// Bytes; sixteen rows are more streams than the processor foresees by itself.
enum { Ahead = 384 };

// Walks from place to place.
typedef struct ColumnWalk {
  ColumnPlaces places;
  long input, tap;
} ColumnWalk;
INLINE long next_place(ColumnWalk *walk) {
  const long place = walk->input * walk->places.pitch + walk->tap * walk->places.tap_pitch;
  if (++walk->tap == walk->places.taps) {
    walk->tap = 0;
    walk->input++;
  }
  return place;
}

INLINE void expand_panel_with(
    KernelFormat format, const void *x, long rows, long stride, long o, long column, long columns,
    ColumnPlaces places, float *y) {
  const long size = format == KernelFloat32 ? 4 : 2;
  ColumnWalk walk = {places, 0, 0};
  for (long k = 0; k < columns; k += 16) {
    const long count = minimum(columns - k, 16);
    Lanes r[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      const char *row = (const char *)x + ((o + i) * stride + column + k) * size;
      __builtin_prefetch(row + Ahead);
      if (o + i >= rows) r[i] = lanes_all(0);
      else if (count == 16) r[i] = lanes_from(format, row, 0);
      else {
        char rest[64] = {0};
        memcpy(rest, row, (size_t)(count * size));
        r[i] = lanes_from(format, rest, 0);
      }
    }
    transpose_16(r);
    for (long i = 0; i < count; i++) lanes_store(y + next_place(&walk), r[i]);
  }
}
static void expand_panel(
    KernelStored x, long rows, long stride, long o, long column, long columns, ColumnPlaces places,
    float *y) {
  if (x.format == KernelFloat32)
    expand_panel_with(KernelFloat32, x.from, rows, stride, o, column, columns, places, y);
  else if (x.format == KernelFloat16)
    expand_panel_with(KernelFloat16, x.from, rows, stride, o, column, columns, places, y);
  else expand_panel_with(KernelBFloat16, x.from, rows, stride, o, column, columns, places, y);
}

// A shuffle moves bits whatever they mean.
static void transpose_panel(
    const void *x, long rows, long stride, long o, long column, long columns, ColumnPlaces places,
    uint16_t *y) {
  ColumnWalk walk = {places, 0, 0};
  for (long k = 0; k < columns; k += 16) {
    const long count = minimum(columns - k, 16);
    Lanes r[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      const char *row = (const char *)x + ((o + i) * stride + column + k) * 2;
      __builtin_prefetch(row + Ahead);
      HalfLanes halves = 0;
      if (o + i < rows && count == 16) halves = *(const LooseHalfLanes *)row;
      else if (o + i < rows) memcpy(&halves, row, (size_t)count * 2);
      r[i] = lanes_of_bits(__builtin_convertvector(halves, BitLanes));
    }
    transpose_16(r);
    for (long i = 0; i < count; i++)
      *(LooseHalfLanes *)(y + next_place(&walk)) =
          __builtin_convertvector(lanes_bits(r[i]), HalfLanes);
  }
}

// G g along one axis: three values to m + 2.
INLINE void filter_line(const int m, const DoubleLanes *g, long from, DoubleLanes *u, long step) {
  const DoubleLanes a = g[0], b = g[from], c = g[2 * from];
  if (m == 2) {
    u[0] = a;
    u[step] = 0.5 * (a + b + c);
    u[2 * step] = 0.5 * (a - b + c);
    u[3 * step] = c;
    return;
  }
  const DoubleLanes outer = (1.0 / 24) * a + (1.0 / 6) * c, inner = (1.0 / 12) * b;
  u[0] = 0.25 * a;
  u[step] = (-1.0 / 6) * (a + b + c);
  u[2 * step] = (-1.0 / 6) * (a - b + c);
  u[3 * step] = outer + inner;
  u[4 * step] = outer - inner;
  u[5 * step] = c;
}

INLINE void filters_with(
    const int m, const float *g, long count, long width, long stride, float *u) {
  const int n = m + 2;
  for (long f = 0; f < count; f++) {
    DoubleLanes d[9], t[18], places[6];
#pragma clang loop unroll(full)
    for (int i = 0; i < 9; i++)
      d[i] = __builtin_convertvector(lanes_load(g + (f * 9 + i) * 16), DoubleLanes);
#pragma clang loop unroll(full)
    for (int j = 0; j < 3; j++) filter_line(m, d + j, 3, t + j, 3);
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) {
      filter_line(m, t + 3 * i, 1, places, 1);
#pragma clang loop unroll(full)
      for (int j = 0; j < n; j++)
        lanes_store(
            u + (n * i + j) * stride + f * width, __builtin_convertvector(places[j], Lanes));
    }
  }
}

// G g Gᵀ of F(m×m, 3×3) in double, rounded once; sixteen filters side by side.
static void winograd_filters(
    int tile, const float *g, long count, long width, long stride, float *u) {
  if (tile == 2) filters_with(2, g, count, width, stride, u);
  else filters_with(4, g, count, width, stride, u);
}
