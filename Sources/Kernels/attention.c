// Cutting of attention: a unit is one head of one sample, so that its values are transposed once.
#include "table.h"

static void attend_head(void *context, long unit) {
  const KernelAttention *g = context;
  const long sample = unit / g->heads, head = unit % g->heads;
  const long stride = g->heads * g->width;
  const float *v = g->v + sample * g->keys * stride + head * g->width;
  float *values = kernel_scratch(ScratchValues, g->width * g->keys);
  for (long key = 0; key < g->keys; key++)
    for (long i = 0; i < g->width; i++) values[i * g->keys + key] = v[key * stride + i];
  float *scratch = kernel_scratch(ScratchAttention, (2 * g->width + 512) * 32);
  for (long query = 0; query < g->queries; query += 32)
    kernel_table()->attend(g, sample, head, query, values, scratch);
}

void kernel_attention(const KernelAttention *attention) {
  if (attention->queries == 0 || attention->keys == 0) return;
  kernel_parallel(
      attention->batch * attention->heads, attend_head, (void *)(uintptr_t)attention);
}
