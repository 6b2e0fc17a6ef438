// Cutting of elementwise operations and rearrangements.
#include <string.h>

#include "table.h"

enum { PerUnit = 1 << 15 };

typedef struct Elements {
  int operation;
  const float *a, *b;
  float *y;
  long count;
  float factor_a, factor_b;
} Elements;

static long units(long count) { return (count + PerUnit - 1) / PerUnit; }

static void binary_unit(void *context, long unit) {
  const Elements *e = context;
  const long first = unit * PerUnit;
  kernel_table()->binary(
      (KernelBinary)e->operation, e->a + first, 1, e->b + first, 1,
      minimum(PerUnit, e->count - first), e->y + first);
}
void kernel_binary(KernelBinary operation, const float *a, const float *b, long count, float *y) {
  Elements e = {.operation = operation, .a = a, .b = b, .y = y, .count = count};
  kernel_parallel(units(count), binary_unit, &e);
}
void kernel_binary_strided(
    KernelBinary operation, const float *a, long stride_a, const float *b, long stride_b,
    long count, float *y) {
  kernel_table()->binary(operation, a, stride_a, b, stride_b, count, y);
}
void kernel_scale(const float *x, float factor, long count, float *y) {
  kernel_table()->binary(KernelMultiply, x, 1, &factor, 0, count, y);
}

static void combine_unit(void *context, long unit) {
  const Elements *e = context;
  const long first = unit * PerUnit;
  kernel_table()->combine(
      e->factor_a, e->a + first, e->factor_b, e->b + first, minimum(PerUnit, e->count - first),
      e->y + first);
}
void kernel_combine(float a, const float *x, float b, const float *z, long count, float *y) {
  Elements e = {.a = x, .b = z, .y = y, .count = count, .factor_a = a, .factor_b = b};
  kernel_parallel(units(count), combine_unit, &e);
}

static void activate_unit(void *context, long unit) {
  const Elements *e = context;
  const long first = unit * PerUnit;
  kernel_table()->activate(
      (KernelActivation)e->operation, e->a + first, minimum(PerUnit, e->count - first),
      e->y + first);
}
void kernel_activate(KernelActivation activation, const float *x, long count, float *y) {
  Elements e = {.operation = activation, .a = x, .y = y, .count = count};
  kernel_parallel(units(count), activate_unit, &e);
}

static void unary_unit(void *context, long unit) {
  const Elements *e = context;
  const long first = unit * PerUnit;
  kernel_table()->unary(
      (KernelUnary)e->operation, e->a + first, minimum(PerUnit, e->count - first), e->y + first);
}
void kernel_unary(KernelUnary operation, const float *x, long count, float *y) {
  Elements e = {.operation = operation, .a = x, .y = y, .count = count};
  kernel_parallel(units(count), unary_unit, &e);
}

typedef struct Gated {
  const float *x;
  float *y;
  long rows, n, rows_per_unit;
} Gated;
static void gated_unit(void *context, long unit) {
  const Gated *g = context;
  const long first = unit * g->rows_per_unit;
  kernel_table()->gated_gelu(
      g->x + first * 2 * g->n, minimum(g->rows_per_unit, g->rows - first), g->n,
      g->y + first * g->n);
}
void kernel_gated_gelu(const float *x, long rows, long n, float *y) {
  if (n == 0) return;
  Gated g = {x, y, rows, n, 1 + PerUnit / n};
  kernel_parallel((rows + g.rows_per_unit - 1) / g.rows_per_unit, gated_unit, &g);
}

double kernel_sum(const float *x, long count) { return kernel_table()->sum(x, count); }
double kernel_sum_of_squared_deviations(const float *x, long count, double mean) {
  return kernel_table()->squared_deviations(x, count, mean);
}
