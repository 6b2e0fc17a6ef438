// Attention with lanes over queries: 32 queries of one head at a time, keys in blocks of 512, the
// running maximum and sum of Milakov & Gimelshein (arXiv 1805.02867). Per query: every score is
// one chain over the width, sums run over the keys in order, every output is one chain over keys.
#include "vector.h"

enum { QueryBlock = 32, KeyBlock = 512 };

static void rows_times_panel(
    bool pairs, long rows, long kc, const float *a, long lda, const float *b, bool accumulate, float *c) {
  const long most = MOST_ROWS(2), tiles = (rows + most - 1) / most;
  for (long t = 0; t < tiles; t++) {
    const long i = rows * t / tiles, end = rows * (t + 1) / tiles;
    float *out = c + i * QueryBlock;
    panel_tile(
        pairs ? PairTile : FloatTile, 2, (int)(end - i), kc, a + i * lda, lda, b, QueryBlock,
        accumulate ? out : 0, QueryBlock, out, QueryBlock, (const char *)b, 0);
  }
}

// Scores of keys that come after the query are −∞.
static void mask_later_keys(float *scores, long first_key, long keys, long first_query) {
  for (long key = 0; key < keys; key++)
    for (long lane = 0; lane < QueryBlock; lane++)
      if (first_key + key > first_query + lane) scores[key * QueryBlock + lane] = -__builtin_inff();
}

// Of 32 queries.
typedef struct Running {
  Lanes highest[2], sum[2];
} Running;

// Turns scores into weights relative to the new maximum; `factors` are for what was before. Both
// halves at once: one's sum waits for the last addition while the other's goes on.
INLINE void exponentiate(float *scores, long keys, Running *running, Lanes factors[2]) {
  Lanes highest[2] = {running->highest[0], running->highest[1]};
  for (long key = 0; key < keys; key++)
    for (int j = 0; j < 2; j++)
      highest[j] = lanes_max(highest[j], lanes_load(scores + key * QueryBlock + 16 * j));
  for (int j = 0; j < 2; j++)
    factors[j] = lanes_exp_nonpositive(running->highest[j] - highest[j]);
  Lanes sum[2] = {lanes_all(0.0f), lanes_all(0.0f)};
  for (long key = 0; key < keys; key++)
    for (int j = 0; j < 2; j++) {
      float *score = scores + key * QueryBlock + 16 * j;
      const Lanes weight = lanes_exp_nonpositive(lanes_load(score) - highest[j]);
      sum[j] += weight;
      lanes_store(score, weight);
    }
  for (int j = 0; j < 2; j++) {
    running->sum[j] = lanes_fma(running->sum[j], factors[j], sum[j]);
    running->highest[j] = highest[j];
  }
}

// Rows of floats become half as many rows of pairs, in place; a missing second is zero.
static void pair_rows(float *x, long rows) {
  const float zeros[16] = {0};
  for (long row = 0; row < rows; row += 2)
    for (int j = 0; j < QueryBlock; j += 16)
      pair(
          x + row * QueryBlock + j, row + 1 < rows ? x + (row + 1) * QueryBlock + j : zeros,
          x + row / 2 * QueryBlock + j);
}

// Rows of `count` queries, `stride` apart, to [width][32] times the factor; absent ones are 0.
static void pack_query_lanes(
    const float *q, long stride, long count, long width, float factor, float *packed) {
  const ColumnPlaces places = {1, QueryBlock, 0};
  for (int j = 0; j < QueryBlock; j += 16)
    expand_panel_with(KernelFloat32, q, count, stride, j, 0, width, places, packed + j);
  for (long i = 0; i < width * QueryBlock; i += 16)
    lanes_store(packed + i, lanes_load(packed + i) * factor);
}

// [width][32], divided by the queries' sums, to rows of `count` queries, `stride` apart.
static void unpack_query_lanes(
    const float *outputs, const Lanes sums[2], long count, long width, float *y, long stride) {
  for (long i = 0; i < width; i += 16)
    for (int j = 0; j < 2; j++) {
      const long present = minimum(width - i, 16), queries = minimum(count - 16 * j, 16);
      Lanes r[16];
      for (int k = 0; k < 16; k++)
        r[k] = k < present ? lanes_load(outputs + (i + k) * QueryBlock + 16 * j) / sums[j]
                           : lanes_all(0.0f);
      transpose_16(r);
      for (long k = 0; k < queries; k++) {
        float *to = y + (16 * j + k) * stride + i;
        if (present == 16) lanes_store(to, r[k]);
        else memcpy(to, &r[k], (size_t)present * sizeof(float));
      }
    }
}

// scratch: width·32 (queries) + width·32 (outputs) + 512·32 (scores) floats
static void attend(
    const KernelAttention *g, long sample, long head, long query, HeadOperands operands,
    float *scratch) {
  const long stride = g->heads * g->width, per_word = g->bfloat16 ? 2 : 1;
  const long count = minimum(g->queries - query, QueryBlock);
  const long at = (sample * g->queries + query) * stride + head * g->width;
  float *packed = scratch, *outputs = scratch + g->width * QueryBlock;
  float *scores = outputs + g->width * QueryBlock;
  pack_query_lanes(g->q + at, stride, count, g->width, g->scale, packed);
  if (g->bfloat16) pair_rows(packed, g->width);
  Running running;
  for (int j = 0; j < 2; j++) {
    running.highest[j] = lanes_all(-3.0e38f);
    running.sum[j] = lanes_all(0.0f);
  }
  for (long first = 0; first < g->keys; first += KeyBlock) {
    const long keys = minimum(g->keys - first, KeyBlock);
    rows_times_panel(
        g->bfloat16, keys, g->width / per_word, operands.keys + first * operands.key_stride,
        operands.key_stride, packed, false, scores);
    if (g->causal) mask_later_keys(scores, first, keys, query);
    Lanes factors[2];
    exponentiate(scores, keys, &running, factors);
    if (first)
      for (long i = 0; i < g->width; i++)
        for (int j = 0; j < 2; j++) {
          float *out = outputs + i * QueryBlock + 16 * j;
          lanes_store(out, lanes_load(out) * factors[j]);
        }
    if (g->bfloat16) pair_rows(scores, keys);
    rows_times_panel(
        g->bfloat16, g->width, (keys + per_word - 1) / per_word, operands.values + first / per_word,
        operands.value_stride, scores, first > 0, outputs);
  }
  unpack_query_lanes(outputs, running.sum, count, g->width, g->y + at, stride);
}
