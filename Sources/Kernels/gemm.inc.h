// The product tile: `rows` rows times `width` vectors of columns, kept in registers over one block
// of K. Vector lanes run over outputs, never over K: each output stays one chain. On the way it asks
// for what is read soon, `step` bytes of `ahead` with every step of K: weights arrive from memory while
// others are multiplied.
#include "vector.h"

// What B holds (and, of pairs, A as well): binary16 is widened on the way into the registers.
typedef enum TileKind { FloatTile, PairTile, HalfTile } TileKind;

INLINE Lanes tile_columns(const TileKind kind, const void *b, long at) {
  if (kind != HalfTile) return lanes_load((const float *)b + at);
  return lanes_from_half(*(const LooseHalfLanes *)((const uint16_t *)b + at));
}

INLINE void product_tile(
    const TileKind kind, const int rows, const int width, long kc, const float *a, long lda,
    const void *b, long ldb, const float *start, long start_stride, float *c, long ldc,
    const char *ahead, long step) {
  Lanes sums[14][3];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < width; j++)
      sums[i][j] = start ? lanes_load(start + i * start_stride + 16 * j) : lanes_all(0.0f);
  for (long k = 0; k < kc; k++) {
    __builtin_prefetch(ahead + k * step, 0, 2);
    Lanes columns[3];
#pragma clang loop unroll(full)
    for (int j = 0; j < width; j++) columns[j] = tile_columns(kind, b, k * ldb + 16 * j);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      Lanes row = lanes_all(a[i * lda + k]);
#pragma clang loop unroll(full)
      for (int j = 0; j < width; j++)
        sums[i][j] = kind == PairTile ? lanes_dot_pairs(row, columns[j], sums[i][j])
                                      : lanes_fma(row, columns[j], sums[i][j]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < width; j++) lanes_store(c + i * ldc + 16 * j, sums[i][j]);
}

#define TILE_ARGUMENTS                                                                     \
  int rows, long kc, const float *a, long lda, const void *b, long ldb, const float *start, \
      long start_stride, float *c, long ldc, const char *ahead, long step
#define TILE_CASE(rows, width, kind)                                              \
  case rows:                                                                      \
    product_tile(                                                                 \
        kind, rows, width, kc, a, lda, b, ldb, start, start_stride, c, ldc, ahead, step); \
    break;
#define UP_TO_6(width, kind)                                                            \
  TILE_CASE(6, width, kind) TILE_CASE(5, width, kind) TILE_CASE(4, width, kind)         \
  TILE_CASE(3, width, kind) TILE_CASE(2, width, kind) TILE_CASE(1, width, kind)
#define UP_TO_9(width, kind)                                                            \
  TILE_CASE(9, width, kind) TILE_CASE(8, width, kind) TILE_CASE(7, width, kind)         \
  UP_TO_6(width, kind)
#define UP_TO_14(width, kind)                                                           \
  TILE_CASE(14, width, kind) TILE_CASE(13, width, kind) TILE_CASE(12, width, kind)      \
  TILE_CASE(11, width, kind) TILE_CASE(10, width, kind) UP_TO_9(width, kind)
#define TILES(name, cases, width, kind)      \
  static void name(TILE_ARGUMENTS) {         \
    switch (rows) { cases(width, kind) }     \
  }

#if WIDE_TILES
#define MOST_ROWS(width) ((width) == 3 ? 9 : 14)
TILES(tile_1, UP_TO_14, 1, FloatTile)
TILES(tile_2, UP_TO_14, 2, FloatTile)
TILES(tile_3, UP_TO_9, 3, FloatTile)
TILES(pairs_tile_1, UP_TO_14, 1, PairTile)
TILES(pairs_tile_2, UP_TO_14, 2, PairTile)
TILES(pairs_tile_3, UP_TO_9, 3, PairTile)
TILES(halves_tile_1, UP_TO_14, 1, HalfTile)
TILES(halves_tile_2, UP_TO_14, 2, HalfTile)
TILES(halves_tile_3, UP_TO_9, 3, HalfTile)
static void panel_tile(TileKind kind, int width, TILE_ARGUMENTS) {
  static void (*const tiles[3][3])(TILE_ARGUMENTS) = {
      {tile_1, tile_2, tile_3},
      {pairs_tile_1, pairs_tile_2, pairs_tile_3},
      {halves_tile_1, halves_tile_2, halves_tile_3},
  };
  tiles[kind][width - 1](
      rows, kc, a, lda, b, ldb, start, start_stride, c, ldc, ahead, step);
}
#else
#define MOST_ROWS(width) (SOFTWARE_FMA ? 2 : 6)
TILES(tile_1, UP_TO_6, 1, FloatTile)
TILES(pairs_tile_1, UP_TO_6, 1, PairTile)
static void panel_tile(TileKind kind, int width, TILE_ARGUMENTS) {
  for (int j = 0; j < width; j++)
    (kind == PairTile ? pairs_tile_1 : tile_1)(
        rows, kc, a, lda, (const float *)b + 16 * j, ldb, start ? start + 16 * j : 0, start_stride,
        c + 16 * j, ldc, ahead, step);
}
#endif

INLINE void finish_with(
    KernelActivation activation, const float *per_sample, const float *residual, long n, float *c) {
  for (long j = 0; j < n; j += 16) {
    long count = n - j;
    bool whole = count >= 16;
    Lanes x = whole ? lanes_load(c + j) : lanes_load_first(c + j, count, 0);
    if (per_sample)
      x += whole ? lanes_load(per_sample + j) : lanes_load_first(per_sample + j, count, 0);
    if (residual) x += whole ? lanes_load(residual + j) : lanes_load_first(residual + j, count, 0);
    x = lanes_activate(activation, x);
    if (whole) lanes_store(c + j, x);
    else lanes_store_first(c + j, count, x);
  }
}

#define FINISH_CASE(name) \
  case name: finish_with(name, per_sample, residual, columns, c); break;
// What follows the chain: the sample's own vector, the residual, the activation.
static void finish_rows(const KernelGemm *g, long m0, long rows, long column, long columns) {
  if (!g->per_sample && !g->residual && g->activation == KernelNone) return;
  for (long m = m0; m < m0 + rows; m++) {
    float *c = g->c + m * g->ldc + column;
    const float *residual = g->residual ? g->residual + m * g->ldc + column : 0;
    const float *per_sample =
        g->per_sample ? g->per_sample + m / g->rows_per_sample * g->n + column : 0;
    switch (g->activation) {
      FINISH_CASE(KernelNone)
      FINISH_CASE(KernelSiLU)
      FINISH_CASE(KernelGELU)
      FINISH_CASE(KernelGELUTanh)
      FINISH_CASE(KernelQuickGELU)
      FINISH_CASE(KernelReLU)
    }
  }
}

// How tiles read a product's panels.
static TileKind tile_kind(const KernelGemm *g) {
  if (g->bfloat16) return PairTile;
  return WIDE_TILES && g->format == KernelFloat16 ? HalfTile : FloatTile;
}

// One block of K of a panel; what the tiles do not read as it is, is expanded first, once for all rows.
static const void *panel_block(const ProductBlock *block, long panel, long ldb) {
  const KernelGemm *g = block->gemm;
  const void *stored = panel_at(g, panel, block->k0);
  if (g->format == KernelFloat32 || tile_kind(g) == HalfTile) return stored;
  float *expanded = kernel_scratch(ScratchPanel, block->kc * 48);
  expand(g->format, stored, block->kc * ldb, expanded);
  return expanded;
}

static void multiply_panel(const ProductBlock *block, long panel) {
  const KernelGemm *g = block->gemm;
  const int width = (int)panel_width(g->n, panel);
  const long column = panel_start(g->n, panel) * 16, ldb = width * 16;
  const long columns = minimum(g->n - column, ldb);
  const void *b = panel_block(block, panel, ldb);
  const TileKind kind = tile_kind(g);
  const long rows = block->m1 - block->m0;
  const long tiles = (rows + MOST_ROWS(width) - 1) / MOST_ROWS(width);
  float first[48];
  const float *start = 0;
  if (block->k0 == 0 && g->bias) {
    for (long j = 0; j < ldb; j++) first[j] = j < columns ? g->bias[column + j] : 0;
    start = first;
  }
  // The next panel's rows of B, a share with every tile.
  const void *next =
      panel + 1 < block->p1 ? panel_at(g, panel + 1, block->k0) : block->next;
  const long share = next ? block->kc * ldb * number_size(g) / tiles : 0;
  const long step = share / block->kc;
  for (long t = 0; t < tiles; t++) {
    const char *ahead = (next ? (const char *)next : (const char *)b) + t * share;
    const long i = rows * t / tiles, end = rows * (t + 1) / tiles;
    const float *a = block->a + i * block->lda;
    float *c = g->c + (block->m0 + i) * g->ldc + column;
    const int count = (int)(end - i);
    if (columns == ldb) {
      const float *from = block->k0 ? c : start;
      panel_tile(
          kind, width, count, block->kc, a, block->lda, b, ldb, from,
          block->k0 ? g->ldc : 0, c, g->ldc, ahead, step);
      continue;
    }
    // The last panel: columns beyond n go to a buffer.
    float edge[14 * 48];
    if (block->k0)
      for (int r = 0; r < count; r++)
        for (long j = 0; j < ldb; j++) edge[r * ldb + j] = j < columns ? c[r * g->ldc + j] : 0;
    panel_tile(
        kind, width, count, block->kc, a, block->lda, b, ldb, block->k0 ? edge : start,
        block->k0 ? ldb : 0, edge, ldb, ahead, step);
    for (int r = 0; r < count; r++) memcpy(c + r * g->ldc, edge + r * ldb, columns * sizeof(float));
  }
  if (block->k0 + block->kc == g->k) finish_rows(g, block->m0, rows, column, columns);
}

static void product(const ProductBlock *block) {
  for (long panel = block->p0; panel < block->p1; panel++) multiply_panel(block, panel);
}
