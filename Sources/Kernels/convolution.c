// Convolution as a product over gathered windows (implicit im2col): K runs over kernel rows,
// kernel columns, input channels. A block of windows is gathered for one block of K at a time.
#include <string.h>

#include "table.h"

enum { WindowsPerBlock = 112, DepthPerBlock = 384 };

// Row `m` of the virtual window matrix, columns k0 ..< k0 + kc.
static void gather_window(const KernelConvolution *v, long m, long k0, long kc, float *to) {
  const long area = v->output_height * v->output_width;
  const long sample = m / area, row = m % area / v->output_width, column = m % v->output_width;
  const float *x = v->x + sample * v->height * v->width * v->inputs;
  const long top = row * v->stride - v->top, left = column * v->stride - v->left;
  long k = k0;
  const long end = k0 + kc;
  while (k < end) {
    const long tap = k / v->inputs, channel = k % v->inputs;
    const long h = top + tap / v->kernel_width, w = left + tap % v->kernel_width;
    const long count = minimum(v->inputs - channel, end - k);
    if (h < 0 || h >= v->height || w < 0 || w >= v->width)
      memset(to, 0, (size_t)count * sizeof(float));
    else
      memcpy(to, x + (h * v->width + w) * v->inputs + channel, (size_t)count * sizeof(float));
    to += count;
    k += count;
  }
}

typedef struct Cut {
  const KernelConvolution *convolution;
  const KernelGemm *gemm;
  long blocks;
} Cut;

static void convolve_unit(void *context, long unit) {
  const Cut *cut = context;
  const KernelGemm *g = cut->gemm;
  ProductBlock p = {
      .gemm = g,
      .m0 = g->m * unit / cut->blocks,
      .m1 = g->m * (unit + 1) / cut->blocks,
      .p0 = 0,
      .p1 = panel_count(g->n),
  };
  const long depths = (g->k + DepthPerBlock - 1) / DepthPerBlock;
  float *windows = kernel_scratch(ScratchColumns, (p.m1 - p.m0) * DepthPerBlock);
  for (long d = 0; d < depths; d++) {
    p.k0 = g->k * d / depths;
    p.kc = g->k * (d + 1) / depths - p.k0;
    for (long m = p.m0; m < p.m1; m++)
      gather_window(cut->convolution, m, p.k0, p.kc, windows + (m - p.m0) * p.kc);
    p.a = windows;
    p.lda = p.kc;
    kernel_table()->product(&p);
  }
}

void kernel_convolve(const KernelConvolution *v) {
  KernelGemm gemm = {
      .m = v->batch * v->output_height * v->output_width,
      .n = v->outputs,
      .k = v->kernel_height * v->kernel_width * v->inputs,
      .a = v->x,
      .lda = v->inputs,
      .b = v->weights,
      .bias = v->bias,
      .per_sample = v->per_sample,
      .rows_per_sample = v->output_height * v->output_width,
      .residual = v->residual,
      .activation = KernelNone,
      .c = v->y,
      .ldc = v->outputs,
  };
  if (gemm.m == 0) return;
  const bool pointwise = v->kernel_height == 1 && v->kernel_width == 1 && v->stride == 1 &&
                         v->top == 0 && v->left == 0 && v->output_height == v->height &&
                         v->output_width == v->width;
  if (pointwise) {
    kernel_gemm(&gemm);
    return;
  }
  Cut cut = {v, &gemm, (gemm.m + WindowsPerBlock - 1) / WindowsPerBlock};
  kernel_parallel(cut.blocks, convolve_unit, &cut);
}
