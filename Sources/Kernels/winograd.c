// Winograd convolution: the transformed filters, and the cut into blocks of tiles.
#include <string.h>

#include "table.h"

// F(2×2) pays for 3 × 3 filters of stride 1 once the transforms are small beside the products.
bool kernel_convolution_is_winograd(const ConvolutionLayer *layer) {
  return layer->kernel_height == 3 && layer->kernel_width == 3 && layer->stride == 1 &&
         layer->inputs >= 16;
}

// G g Gᵀ in double, rounded once; g is 3 × 3.
static void transform_filter(const double g[9], double u[16]) {
  double t[12];
  for (int j = 0; j < 3; j++) {
    t[j] = g[j];
    t[3 + j] = 0.5 * (g[j] + g[3 + j] + g[6 + j]);
    t[6 + j] = 0.5 * (g[j] - g[3 + j] + g[6 + j]);
    t[9 + j] = g[6 + j];
  }
  for (int i = 0; i < 4; i++) {
    const double *r = t + 3 * i;
    u[4 * i] = r[0];
    u[4 * i + 1] = 0.5 * (r[0] + r[1] + r[2]);
    u[4 * i + 2] = 0.5 * (r[0] - r[1] + r[2]);
    u[4 * i + 3] = r[2];
  }
}

// weights [outputs][3][3][inputs] → 16 packed matrices, one behind the other.
void kernel_winograd_pack(const ConvolutionLayer *layer, const float *weights, float *packed) {
  const long count = layer->outputs * layer->inputs;
  float *u = kernel_allocate(16 * count);
  for (long o = 0; o < layer->outputs; o++)
    for (long c = 0; c < layer->inputs; c++) {
      double g[9], transformed[16];
      for (int tap = 0; tap < 9; tap++) g[tap] = weights[(o * 9 + tap) * layer->inputs + c];
      transform_filter(g, transformed);
      for (int i = 0; i < 16; i++)
        u[i * count + o * layer->inputs + c] = (float)transformed[i];
    }
  const long stride = kernel_packed_count(layer->outputs, layer->inputs);
  for (int i = 0; i < 16; i++)
    kernel_pack_rows(u + i * count, layer->outputs, layer->inputs, packed + i * stride);
  kernel_release(u, 16 * count);
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
