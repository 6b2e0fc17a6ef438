// Convolution as a product over gathered windows (implicit im2col): K runs over kernel rows,
// kernel columns, input channels. A block of windows is gathered for one block of K at a time.
#include <string.h>

#include "table.h"

enum { WindowsPerBlock = 112, DepthPerBlock = 1280 };

// Row `m` of the virtual window matrix, columns k0 ..< k0 + kc.
static void gather_window(const KernelConvolution *v, long m, long k0, long kc, float *to) {
  const long area = v->output_height * v->output_width;
  const long sample = m / area, row = m % area / v->output_width, column = m % v->output_width;
  const float *x = v->x + sample * v->height * v->width * v->layer.inputs;
  const long top = row * v->layer.stride - v->top, left = column * v->layer.stride - v->left;
  const long length = v->width * v->layer.inputs, window = v->layer.kernel_width * v->layer.inputs;
  // One row of the window at a time: zeros, a run of the image's row, zeros.
  for (long k = k0; k < k0 + kc;) {
    const long h = top + k / window, skipped = k % window;
    const long count = minimum(window - skipped, k0 + kc - k);
    const long start = left * v->layer.inputs + skipped;
    long low = 0, high = 0;
    if (h >= 0 && h < v->height) {
      low = start < 0 ? minimum(-start, count) : 0;
      high = minimum(count, length - start);
      if (high < low) high = low;
    }
    for (long i = 0; i < low; i++) to[i] = 0;
    if (high > low)
      memcpy(to + low, x + h * length + start + low, (size_t)(high - low) * sizeof(float));
    for (long i = high; i < count; i++) to[i] = 0;
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
  float window[2 * DepthPerBlock];
  for (long d = 0; d < depths; d++) {
    p.k0 = g->k * d / depths;
    p.kc = g->k * (d + 1) / depths - p.k0;
    for (long m = p.m0; m < p.m1; m++) {
      float *to = windows + (m - p.m0) * p.kc;
      if (!g->bfloat16) {
        gather_window(cut->convolution, m, p.k0, p.kc, to);
        continue;
      }
      gather_window(cut->convolution, m, 2 * p.k0, 2 * p.kc, window);
      kernel_table()->halve(window, 2 * p.kc, to);
    }
    p.a = windows;
    p.lda = p.kc;
    p.next = d + 1 < depths ? panel_at(g, 0, p.k0 + p.kc) : NULL;
    kernel_table()->product(&p);
  }
}

void kernel_convolve(const KernelConvolution *v) {
  if (v->batch * v->output_height * v->output_width == 0) return;
  if (kernel_winograd_tile(&v->layer)) {
    kernel_winograd(v);
    return;
  }
  KernelGemm gemm = {
      .m = v->batch * v->output_height * v->output_width,
      .n = v->layer.outputs,
      .k = v->layer.kernel_height * v->layer.kernel_width * v->layer.inputs,
      .a = v->x,
      .lda = v->layer.inputs,
      .b = v->weights,
      .bias = v->bias,
      .per_sample = v->per_sample,
      .rows_per_sample = v->output_height * v->output_width,
      .residual = v->residual,
      .activation = KernelNone,
      .c = v->y,
      .ldc = v->layer.outputs,
      .bfloat16 = v->layer.bfloat16,
      .format = v->layer.format,
  };
  const bool pointwise = v->layer.kernel_height == 1 && v->layer.kernel_width == 1 &&
                         v->layer.stride == 1 && v->top == 0 && v->left == 0 &&
                         v->output_height == v->height && v->output_width == v->width;
  if (pointwise) {
    kernel_gemm(&gemm);
    return;
  }
  if (gemm.bfloat16) gemm.k /= 2;
  Cut cut = {v, &gemm, (gemm.m + WindowsPerBlock - 1) / WindowsPerBlock};
  kernel_parallel(cut.blocks, convolve_unit, &cut);
}
