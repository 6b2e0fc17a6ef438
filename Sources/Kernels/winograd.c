// Winograd convolution: the choice of it, and the cut into blocks of tiles.
#include <string.h>

#include "table.h"

// F(2×2) pays for 3 × 3 filters of stride 1 once the transforms are small beside the products.
bool kernel_convolution_is_winograd(const ConvolutionLayer *layer) {
  return layer->kernel_height == 3 && layer->kernel_width == 3 && layer->stride == 1 &&
         layer->inputs >= 16;
}

enum { TilesPerBlock = 112, LeastTiles = 28, DepthPerBlock = 640 };

typedef struct Cut {
  const KernelConvolution *convolution;
  long tiles, blocks;
} Cut;

static void multiply_place(const KernelGemm *g) {
  const long depths = (g->k + DepthPerBlock - 1) / DepthPerBlock;
  for (long d = 0; d < depths; d++) {
    const long k0 = g->k * d / depths;
    ProductBlock p = {
        .gemm = g, .m0 = 0, .m1 = g->m, .p0 = 0, .p1 = panel_count(g->n),
        .k0 = k0, .kc = g->k * (d + 1) / depths - k0, .a = g->a + k0, .lda = g->lda,
    };
    kernel_table()->product(&p);
  }
}

static void winograd_unit(void *context, long unit) {
  const Cut *cut = context;
  const KernelConvolution *v = cut->convolution;
  const long first = cut->tiles * unit / cut->blocks;
  const long count = cut->tiles * (unit + 1) / cut->blocks - first;
  const long inputs = v->layer.inputs, padded = (v->layer.outputs + 15) / 16 * 16;
  const long stride = kernel_packed_count(v->layer.outputs, inputs);
  float *zeros = kernel_scratch(ScratchSums, inputs);
  memset(zeros, 0, (size_t)inputs * sizeof(float));
  float *in = kernel_scratch(ScratchColumns, 16 * count * inputs);
  float *out = kernel_scratch(ScratchValues, 16 * count * padded);
  kernel_table()->winograd_input(v, first, count, zeros, in);
  for (int i = 0; i < 16; i++) {
    const KernelGemm g = {
        .m = count, .n = padded, .k = inputs, .a = in + i * count * inputs, .lda = inputs,
        .b = v->weights + i * stride, .c = out + i * count * padded, .ldc = padded,
    };
    multiply_place(&g);
  }
  kernel_table()->winograd_output(v, first, count, out, padded);
}

void kernel_winograd(const KernelConvolution *v) {
  const long tiles = v->batch * ((v->output_height + 1) / 2) * ((v->output_width + 1) / 2);
  // Wide layers stream megabytes of weights past every block: fewer, larger ones.
  const long units = v->layer.inputs * v->layer.outputs >= 65536 ? 4 : 8;
  long per_block = (tiles + units - 1) / units;
  if (per_block > TilesPerBlock) per_block = TilesPerBlock;
  if (per_block < LeastTiles) per_block = LeastTiles;
  Cut cut = {v, tiles, (tiles + per_block - 1) / per_block};
  kernel_parallel(cut.blocks, winograd_unit, &cut);
}
