// Cutting of matrix products. The cut depends on the shape only.
#include <string.h>

#include "table.h"

// A block of A (rows × depth) stays in the second-level cache while every panel passes by it: deep
// rather than long, since every block of K reads and writes C once more.
enum { MostRows = 256, MostDepth = 2560, WordsPerBlock = 3 << 16, LeastUnits = 8 };

typedef struct Cut {
  const KernelGemm *gemm;  // in bfloat16 its K counts pairs, its A still floats
  long depths, row_blocks, groups;
  bool gathered;
} Cut;

// Rows m0 ..< m1 of one block of K, one behind the other.
static void gather(const KernelGemm *g, const ProductBlock *p, float *to) {
  for (long m = p->m0; m < p->m1; m++, to += p->kc)
    if (g->bfloat16) kernel_table()->halve(g->a + m * g->lda + 2 * p->k0, 2 * p->kc, to);
    else memcpy(to, g->a + m * g->lda + p->k0, (size_t)p->kc * sizeof(float));
}

static void multiply_unit(void *context, long unit) {
  const Cut *cut = context;
  const KernelGemm *g = cut->gemm;
  const long block = unit / cut->groups, group = unit % cut->groups, panels = panel_count(g->n);
  ProductBlock p = {
      .gemm = g,
      .m0 = g->m * block / cut->row_blocks,
      .m1 = g->m * (block + 1) / cut->row_blocks,
      .p0 = panels * group / cut->groups,
      .p1 = panels * (group + 1) / cut->groups,
      .lda = g->lda,
  };
  for (long d = 0; d < cut->depths; d++) {
    p.k0 = g->k * d / cut->depths;
    p.kc = g->k * (d + 1) / cut->depths - p.k0;
    p.a = g->a + p.m0 * g->lda + p.k0;
    p.next = d + 1 < cut->depths ? panel_at(g, p.p0, p.k0 + p.kc) : NULL;
    if (cut->gathered) {
      float *to = kernel_scratch(ScratchColumns, (p.m1 - p.m0) * p.kc);
      gather(g, &p, to);
      p.a = to;
      p.lda = p.kc;
    }
    kernel_table()->product(&p);
  }
}

void kernel_gemm(const KernelGemm *gemm) {
  if (gemm->m == 0 || gemm->n == 0 || gemm->k == 0) return;
  if (kernel_backend() == KernelOpenBLAS && !gemm->bfloat16) {
    openblas_gemm(gemm);
    return;
  }
  KernelGemm words = *gemm;
  if (gemm->bfloat16) words.k /= 2;
  const long depths = (words.k + MostDepth - 1) / MostDepth;
  const long rows = WordsPerBlock / (words.k / depths + 1) / 64 * 64;
  const long row_blocks = (gemm->m + minimum(rows, MostRows) - 1) / minimum(rows, MostRows);
  Cut cut = {&words, depths, row_blocks, 1, false};
  const long panels = panel_count(gemm->n);
  // Too few blocks of rows for several threads: cut columns, or rows where there are few columns,
  // but not below about two million operations a unit.
  const double operations = 2.0 * (double)gemm->m * (double)gemm->n * (double)gemm->k;
  while (cut.row_blocks * cut.groups < LeastUnits &&
         operations / (double)(cut.row_blocks * cut.groups) > 4e6) {
    if (cut.groups * 8 <= panels) cut.groups *= 2;
    else if (gemm->m / cut.row_blocks >= 56) cut.row_blocks *= 2;
    else if (cut.groups * 2 <= panels) cut.groups *= 2;
    else break;
  }
  // Rows a multiple of four kilobytes apart fall into one set of the first-level cache.
  cut.gathered = gemm->bfloat16 || (gemm->lda % 1024 == 0 && gemm->n >= 128);
  kernel_parallel(cut.row_blocks * cut.groups, multiply_unit, &cut);
}
