// Winograd convolution: which layers use it, and the cut into blocks of tiles.
#include <string.h>

#include "table.h"

// The side of the tiles' outputs, 0 for the direct method: the layer alone says, so that the bits do
// not depend on what it is applied to. F(4×4) spares most arithmetic and keeps 36 / 9 of the
// filters; a wide layer on a small map waits for its filters' memory instead: F(2×2) there, and the
// filters as they are on the smallest maps. F(4×4) would lose too much in bfloat16.
int kernel_winograd_tile(const ConvolutionLayer *layer) {
  if (layer->kernel_height != 3 || layer->kernel_width != 3 || layer->stride != 1) return 0;
  if (layer->inputs < 16) return 0;
  if (layer->bfloat16) return layer->positions == 0 || layer->positions > 64 ? 2 : 0;
  const bool wide = layer->inputs * layer->outputs > 1300000;
  if (!wide || layer->positions >= 1024) return 4;
  return layer->positions == 0 || layer->positions > 64 ? 2 : 0;
}

enum { TilesPerBlock = 112, LeastTiles = 28, DepthPerBlock = 1280, Line = 16 };

// Rows a multiple of a kilobyte apart fall into the same few sets of the first-level cache, places
// that are a multiple of four apart all into one.
static long row_stride(long channels) { return channels % 256 ? channels : channels + Line; }

typedef struct Cut {
  const KernelConvolution *convolution;
  int tile;
  long tiles, blocks;
} Cut;

// `next` are the weights of the place after this one, or null.
static void multiply_place(const KernelGemm *g, const float *next) {
  const long depths = (g->k + DepthPerBlock - 1) / DepthPerBlock;
  for (long d = 0; d < depths; d++) {
    const long k0 = g->k * d / depths, k1 = g->k * (d + 1) / depths;
    ProductBlock p = {
        .gemm = g, .m0 = 0, .m1 = g->m, .p0 = 0, .p1 = panel_count(g->n),
        .k0 = k0, .kc = k1 - k0, .a = g->a + k0, .lda = g->lda,
        .next = d + 1 < depths ? panel_at(g, 0, k1) : next,
    };
    kernel_table()->product(&p);
  }
}

static void winograd_unit(void *context, long unit) {
  const Cut *cut = context;
  const KernelConvolution *v = cut->convolution;
  const int places = (cut->tile + 2) * (cut->tile + 2);
  const long first = cut->tiles * unit / cut->blocks;
  const long count = cut->tiles * (unit + 1) / cut->blocks - first;
  // In words: a float, or a pair of bfloat16.
  const long inputs = v->layer.bfloat16 ? v->layer.inputs / 2 : v->layer.inputs;
  const long padded = (v->layer.outputs + 15) / 16 * 16;
  const long stride = kernel_packed_count(v->layer.outputs, inputs);
  const long in_row = row_stride(inputs), out_row = row_stride(padded);
  const long in_stride = count * in_row + Line, out_stride = count * out_row + Line;
  float *zeros = kernel_scratch(ScratchSums, v->layer.inputs);
  memset(zeros, 0, (size_t)v->layer.inputs * sizeof(float));
  float *in = kernel_scratch(ScratchColumns, places * in_stride);
  float *out = kernel_scratch(ScratchValues, places * out_stride);
  kernel_table()->winograd_input(v, cut->tile, first, count, zeros, in, in_row, in_stride);
  for (int i = 0; i < places; i++) {
    const KernelGemm g = {
        .m = count, .n = padded, .k = inputs, .a = in + i * in_stride, .lda = in_row,
        .b = v->weights + i * stride, .c = out + i * out_stride, .ldc = out_row,
        .bfloat16 = v->layer.bfloat16,
    };
    multiply_place(&g, i + 1 < places ? g.b + stride : NULL);
  }
  kernel_table()->winograd_output(v, cut->tile, first, count, out, out_row, out_stride);
}

void kernel_winograd(const KernelConvolution *v) {
  const int tile = kernel_winograd_tile(&v->layer);
  const long across = (v->output_width + tile - 1) / tile;
  const long tiles = v->batch * ((v->output_height + tile - 1) / tile) * across;
  // Wide layers stream megabytes of weights past every block: fewer, larger ones.
  const long units = v->layer.inputs * v->layer.outputs >= 65536 ? 4 : 8;
  long per_block = (tiles + units - 1) / units;
  if (per_block > TilesPerBlock) per_block = TilesPerBlock;
  if (per_block < LeastTiles) per_block = LeastTiles;
  Cut cut = {v, tile, tiles, (tiles + per_block - 1) / per_block};
  kernel_parallel(cut.blocks, winograd_unit, &cut);
}
