// Matrix products by OpenBLAS in place of evoke's own: a second opinion on a result, not a way to
// get one. The order of its additions is OpenBLAS's, so that results differ in their last digits.
#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static _Atomic(int) backend = KernelOwn;

KernelBackend kernel_backend(void) {
  return (KernelBackend)atomic_load_explicit(&backend, memory_order_relaxed);
}
void kernel_use_backend(KernelBackend chosen) { atomic_store(&backend, chosen); }

// Rows that one call of sgemm takes; the cut depends on the shape only.
enum { RowsPerCall = 256 };

typedef struct Product {
  const KernelGemm *gemm;
  const float *columns;  // [k][n]
} Product;

// columns[k][n] from the panels of a packed matrix.
static void unpack_columns(const float *packed, long n, long k, float *columns) {
  for (long panel = 0; panel < panel_count(n); panel++) {
    const long start = panel_start(n, panel) * 16, width = panel_width(n, panel) * 16;
    const float *from = packed + start * k;
    const long count = minimum(width, n - start);
    for (long i = 0; i < k; i++)
      memcpy(columns + i * n + start, from + i * width, (size_t)count * sizeof(float));
  }
}

static void finish_row(const KernelGemm *g, long row) {
  float *c = g->c + row * g->ldc;
  const float *sample =
      g->per_sample ? g->per_sample + row / g->rows_per_sample * g->n : NULL;
  for (long j = 0; j < g->n; j++) {
    if (g->bias) c[j] += g->bias[j];
    if (sample) c[j] += sample[j];
    if (g->residual) c[j] += g->residual[row * g->ldc + j];
  }
  if (g->activation != KernelNone) kernel_activate(g->activation, c, g->n, c);
}

static void multiply_rows(void *context, long block) {
  const Product *p = context;
  const KernelGemm *g = p->gemm;
  const long first = block * RowsPerCall, rows = minimum(RowsPerCall, g->m - first);
  cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)g->n, (int)g->k, 1,
      g->a + first * g->lda, (int)g->lda, p->columns, (int)g->n, 0, g->c + first * g->ldc,
      (int)g->ldc);
  for (long row = first; row < first + rows; row++) finish_row(g, row);
}

void openblas_gemm(const KernelGemm *g) {
  float *columns = kernel_allocate(g->n * g->k);
  if (g->format == KernelFloat32) {
    unpack_columns(g->b, g->n, g->k, columns);
  } else {
    const long count = kernel_packed_count(g->n, g->k);
    float *panels = kernel_allocate(count);
    kernel_expand((KernelStored){g->b, g->format}, count, panels);
    unpack_columns(panels, g->n, g->k, columns);
    kernel_release(panels, count);
  }
  Product product = {g, columns};
  kernel_parallel((g->m + RowsPerCall - 1) / RowsPerCall, multiply_rows, &product);
  kernel_release(columns, g->n * g->k);
}
