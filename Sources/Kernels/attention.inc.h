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
        pairs, 2, (int)(end - i), kc, a + i * lda, lda, b, QueryBlock, accumulate ? out : 0,
        QueryBlock, out, QueryBlock, (const char *)b, 0);
  }
}

// Scores of keys that come after the query are −∞.
static void mask_later_keys(float *scores, long first_key, long keys, long first_query) {
  for (long key = 0; key < keys; key++)
    for (long lane = 0; lane < QueryBlock; lane++)
      if (first_key + key > first_query + lane) scores[key * QueryBlock + lane] = -__builtin_inff();
}

typedef struct Running {
  Lanes highest, sum;
} Running;

// Turns scores into weights relative to the new maximum; returns the factor for what was before.
INLINE Lanes exponentiate(float *scores, long keys, Running *running) {
  Lanes highest = running->highest;
  for (long key = 0; key < keys; key++)
    highest = lanes_max(highest, lanes_load(scores + key * QueryBlock));
  const Lanes factor = lanes_exp_nonpositive(running->highest - highest);
  Lanes sum = lanes_all(0.0f);
  for (long key = 0; key < keys; key++) {
    Lanes weight = lanes_exp_nonpositive(lanes_load(scores + key * QueryBlock) - highest);
    sum += weight;
    lanes_store(scores + key * QueryBlock, weight);
  }
  running->sum = lanes_fma(running->sum, factor, sum);
  running->highest = highest;
  return factor;
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

// scratch: width·32 (queries) + width·32 (outputs) + 512·32 (scores) floats
static void attend(
    const KernelAttention *g, long sample, long head, long query, HeadOperands operands,
    float *scratch) {
  const long stride = g->heads * g->width, per_word = g->bfloat16 ? 2 : 1;
  const long count = minimum(g->queries - query, QueryBlock);
  const float *q = g->q + (sample * g->queries + query) * stride + head * g->width;
  float *packed = scratch, *outputs = scratch + g->width * QueryBlock;
  float *scores = outputs + g->width * QueryBlock;
  for (long i = 0; i < g->width; i++)
    for (long lane = 0; lane < QueryBlock; lane++)
      packed[i * QueryBlock + lane] = lane < count ? q[lane * stride + i] * g->scale : 0;
  if (g->bfloat16) pair_rows(packed, g->width);
  Running running[2];
  for (int j = 0; j < 2; j++) running[j] = (Running){lanes_all(-3.0e38f), lanes_all(0.0f)};
  for (long first = 0; first < g->keys; first += KeyBlock) {
    const long keys = minimum(g->keys - first, KeyBlock);
    rows_times_panel(
        g->bfloat16, keys, g->width / per_word, operands.keys + first * operands.key_stride,
        operands.key_stride, packed, false, scores);
    if (g->causal) mask_later_keys(scores, first, keys, query);
    for (int j = 0; j < 2; j++) {
      const Lanes factor = exponentiate(scores + 16 * j, keys, &running[j]);
      if (first)
        for (long i = 0; i < g->width; i++) {
          float *out = outputs + i * QueryBlock + 16 * j;
          lanes_store(out, lanes_load(out) * factor);
        }
    }
    if (g->bfloat16) pair_rows(scores, keys);
    rows_times_panel(
        g->bfloat16, g->width, (keys + per_word - 1) / per_word, operands.values + first / per_word,
        operands.value_stride, scores, first > 0, outputs);
  }
  float sums[QueryBlock];
  for (int j = 0; j < 2; j++) lanes_store(sums + 16 * j, running[j].sum);
  float *y = g->y + (sample * g->queries + query) * stride + head * g->width;
  for (long lane = 0; lane < count; lane++)
    for (long i = 0; i < g->width; i++)
      y[lane * stride + i] = outputs[i * QueryBlock + lane] / sums[lane];
}
