// The gradient of attention for 32 queries of one head, lanes over queries as in the forward pass.
// With P = softmax(S): dV = Pᵀ dY, dP = dY Vᵀ, dS = P (dP − Σ P dP), dQ = dS K, dK = dSᵀ Q. Every
// output is one chain: over keys for dQ, over queries for dK and dV.
#include "vector.h"

// c[rows][16 · vectors] (+)= a[rows][kc] · b[kc][16 · vectors], all panels of b side by side.
static void rows_times_columns(
    long rows, long kc, const float *a, long lda, const float *b, long vectors, bool accumulate,
    float *c) {
  const long stride = 16 * vectors;
  for (long first = 0; first < vectors; first += 2) {
    const int width = (int)minimum(2, vectors - first);
    const long most = MOST_ROWS(width), tiles = (rows + most - 1) / most;
    for (long t = 0; t < tiles; t++) {
      const long i = rows * t / tiles, end = rows * (t + 1) / tiles;
      float *out = c + i * stride + 16 * first;
      panel_tile(
          FloatTile, width, (int)(end - i), kc, a + i * lda, lda, b + 16 * first, stride,
          accumulate ? out : 0, stride, out, stride, (const char *)b, 0);
    }
  }
}

// rows of a head, `count` ≤ 32 of them: [width][32] times `factor`, and [32][padded].
static void pack_queries(
    const float *from, long stride, long count, long width, long padded, float factor,
    float *columns, float *rows) {
  for (long lane = 0; lane < QueryBlock; lane++)
    for (long i = 0; i < padded; i++) {
      const float value = lane < count && i < width ? from[lane * stride + i] * factor : 0;
      if (i < width) columns[i * QueryBlock + lane] = value;
      rows[lane * padded + i] = value;
    }
}

// Scores to weights, and (in dp) the gradient of the weights to that of the scores.
INLINE void softmax_gradient(float *scores, float *dp, long keys) {
  Lanes highest = lanes_all(-3.0e38f), sum = lanes_all(0.0f), product = lanes_all(0.0f);
  for (long key = 0; key < keys; key++)
    highest = lanes_max(highest, lanes_load(scores + key * QueryBlock));
  for (long key = 0; key < keys; key++) {
    Lanes weight = lanes_exp_nonpositive(lanes_load(scores + key * QueryBlock) - highest);
    sum += weight;
    product = lanes_fma(weight, lanes_load(dp + key * QueryBlock), product);
    lanes_store(scores + key * QueryBlock, weight);
  }
  const Lanes inverse = 1.0f / sum, mean = product * inverse;
  for (long key = 0; key < keys; key++) {
    Lanes weight = lanes_load(scores + key * QueryBlock) * inverse;
    lanes_store(scores + key * QueryBlock, weight);
    lanes_store(dp + key * QueryBlock, weight * (lanes_load(dp + key * QueryBlock) - mean));
  }
}

// transposed: the head's keys, [width][keys]; dk, dv: [keys][padded], continued block by block;
// scratch: 3 · width · 32 + 2 · keys · 32 + 2 · 32 · padded floats.
static void attend_gradient(
    const KernelAttentionGradient *gradient, long sample, long head, long query,
    const float *transposed, float *dk, float *dv, float *scratch) {
  const KernelAttention *g = &gradient->attention;
  const long stride = g->heads * g->width, vectors = (g->width + 15) / 16, padded = 16 * vectors;
  const long count = minimum(g->queries - query, QueryBlock);
  const long place = (sample * g->queries + query) * stride + head * g->width;
  const float *k = g->k + sample * g->keys * stride + head * g->width;
  const float *v = g->v + sample * g->keys * stride + head * g->width;
  float *q_columns = scratch, *dy_columns = q_columns + g->width * QueryBlock;
  float *dq = dy_columns + g->width * QueryBlock, *scores = dq + g->width * QueryBlock;
  float *dp = scores + g->keys * QueryBlock, *q_rows = dp + g->keys * QueryBlock;
  float *dy_rows = q_rows + QueryBlock * padded;
  pack_queries(g->q + place, stride, count, g->width, padded, g->scale, q_columns, q_rows);
  pack_queries(gradient->dy + place, stride, count, g->width, padded, 1, dy_columns, dy_rows);
  rows_times_panel(false, g->keys, g->width, k, stride, q_columns, false, scores);
  if (g->causal) mask_later_keys(scores, 0, g->keys, query);
  rows_times_panel(false, g->keys, g->width, v, stride, dy_columns, false, dp);
  for (int j = 0; j < 2; j++) softmax_gradient(scores + 16 * j, dp + 16 * j, g->keys);
  rows_times_columns(g->keys, count, scores, QueryBlock, dy_rows, vectors, query > 0, dv);
  rows_times_columns(g->keys, count, dp, QueryBlock, q_rows, vectors, query > 0, dk);
  rows_times_panel(false, g->width, g->keys, transposed, g->keys, dp, false, dq);
  for (long lane = 0; lane < count; lane++)
    for (long i = 0; i < g->width; i++)
      gradient->dq[place + lane * stride + i] = dq[i * QueryBlock + lane] * g->scale;
}
