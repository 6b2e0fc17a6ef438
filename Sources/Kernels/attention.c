// Cutting of attention. Where there are many heads a unit is one head of one sample; where there
// are few (an autoencoder has one) the operands are prepared first and queries are cut as well.
#include <stddef.h>

#include "table.h"

enum { QueriesPerUnit = 128, ManyHeads = 8, KeyBlock = 512, QueryBlock = 32 };

typedef struct Work {
  const KernelAttention *attention;
  float *operands;  // of every head of every sample, or null
  long chunks;
} Work;

// [keys][width] of one head to [width][keys].
static void transpose_values(const KernelAttention *g, long pair, float *to) {
  const long stride = g->heads * g->width, whole = g->keys / 16 * 16;
  const float *v = g->v + pair / g->heads * g->keys * stride + pair % g->heads * g->width;
  for (long key = 0; key < whole; key += 16)
    kernel_table()->expand_panel(
        (KernelStored){v, KernelFloat32}, g->keys, stride, key, 0, g->width,
        (ColumnPlaces){1, g->keys, 0}, to + key);
  for (long key = whole; key < g->keys; key++)
    for (long i = 0; i < g->width; i++) to[i * g->keys + key] = v[key * stride + i];
}

// Words that a head's operands take.
static long operand_count(const KernelAttention *g) {
  if (!g->bfloat16) return g->width * g->keys;
  return g->width * ((g->keys + 1) / 2) + g->keys * (g->width / 2);
}

static HeadOperands operands_at(const KernelAttention *g, long pair, const float *at) {
  const long stride = g->heads * g->width, words = (g->keys + 1) / 2;
  if (g->bfloat16) return (HeadOperands){at + g->width * words, g->width / 2, at, words};
  const float *k = g->k + pair / g->heads * g->keys * stride + pair % g->heads * g->width;
  return (HeadOperands){k, stride, at, g->keys};
}

static void prepare_operands(const KernelAttention *g, long pair, float *to) {
  if (!g->bfloat16) {
    transpose_values(g, pair, to);
    return;
  }
  const long stride = g->heads * g->width, words = (g->keys + 1) / 2;
  float *values = kernel_scratch(ScratchColumns, g->width * g->keys);
  transpose_values(g, pair, values);
  for (long i = 0; i < g->width; i++, to += words) {
    to[words - 1] = 0;
    kernel_table()->halve(values + i * g->keys, g->keys, to);
  }
  const float *k = g->k + pair / g->heads * g->keys * stride + pair % g->heads * g->width;
  for (long key = 0; key < g->keys; key++)
    kernel_table()->halve(k + key * stride, g->width, to + key * (g->width / 2));
}

static void attend_queries(
    const KernelAttention *g, long pair, long first, long last, const float *operands) {
  float *scratch = kernel_scratch(ScratchAttention, (2 * g->width + KeyBlock) * QueryBlock);
  for (long query = first; query < last; query += QueryBlock)
    kernel_table()->attend(
        g, pair / g->heads, pair % g->heads, query, operands_at(g, pair, operands), scratch);
}

static void prepare_unit(void *context, long pair) {
  const Work *w = context;
  prepare_operands(w->attention, pair, w->operands + pair * operand_count(w->attention));
}
static void chunk_unit(void *context, long unit) {
  const Work *w = context;
  const KernelAttention *g = w->attention;
  const long pair = unit / w->chunks, first = unit % w->chunks * QueriesPerUnit;
  attend_queries(
      g, pair, first, minimum(first + QueriesPerUnit, g->queries),
      w->operands + pair * operand_count(g));
}
static void head_unit(void *context, long pair) {
  const KernelAttention *g = ((const Work *)context)->attention;
  float *operands = kernel_scratch(ScratchValues, operand_count(g));
  prepare_operands(g, pair, operands);
  attend_queries(g, pair, 0, g->queries, operands);
}

void kernel_attention(const KernelAttention *attention) {
  if (attention->queries == 0 || attention->keys == 0) return;
  const long pairs = attention->batch * attention->heads;
  Work w = {attention, NULL, (attention->queries + QueriesPerUnit - 1) / QueriesPerUnit};
  if (pairs >= ManyHeads || w.chunks == 1) {
    kernel_parallel(pairs, head_unit, &w);
    return;
  }
  const long count = pairs * operand_count(attention);
  w.operands = kernel_allocate(count);
  kernel_parallel(pairs, prepare_unit, &w);
  kernel_parallel(pairs * w.chunks, chunk_unit, &w);
  kernel_release(w.operands, count);
}
