// What a variant provides: units of work that the drivers cut and hand to threads.
#pragma once
#include "include/gradients.h"

// Rows m0 ..< m1 times panels p0 ..< p1 for columns k0 ..< k0 + kc of A, whose first row and
// column are at `a`. In bfloat16 K counts pairs, and A holds them too. Continues the chains in C
// when k0 > 0; finishes them when k0 + kc = K.
typedef struct ProductBlock {
  const KernelGemm *gemm;
  long m0, m1, p0, p1, k0, kc;
  const float *a;
  long lda;
  const void *next;  // packed weights that are read after the last panel's, or null
} ProductBlock;

// The keys of one head, `key_stride` apart, and its values as [width][keys]; pairs in bfloat16.
typedef struct HeadOperands {
  const float *keys;
  long key_stride;
  const float *values;
  long value_stride;
} HeadOperands;

// Where the columns of a transposed matrix go, whose first belongs to tap 0: the one of `input` and
// `tap` to input · pitch + tap · tap_pitch.
typedef struct ColumnPlaces {
  long taps, pitch, tap_pitch;
} ColumnPlaces;

typedef struct KernelTable {
  void (*product)(const ProductBlock *block);
  // Sixteen pairs of bfloat16 of two rows of floats; `count` floats (an even number) as bfloat16.
  void (*pair)(const float *first, const float *second, float *to);
  void (*halve)(const float *x, long count, float *to);
  void (*expand)(KernelFormat format, const void *x, long count, float *y);
  // Rows o ..< o + 16 of x [rows][stride] side by side, from one column on; absent rows are 0.
  void (*expand_panel)(
      KernelStored x, long rows, long stride, long o, long column, long columns,
      ColumnPlaces places, float *y);
  // The same of sixteen bits, as they are.
  void (*transpose_panel)(
      const void *x, long rows, long stride, long o, long column, long columns,
      ColumnPlaces places, uint16_t *y);
  // g [count][9][16] to 16 places of [count][width], `stride` floats apart.
  void (*winograd_filters)(
      int tile, const float *g, long count, long width, long stride, float *u);
  // Tiles first ..< first + count to [places][count][inputs], and from [places][count][outputs] to
  // y; tiles are `row`, places `stride` floats apart, `tile` is the side of a tile's outputs.
  void (*winograd_input)(
      const KernelConvolution *convolution, int tile, long first, long count, const float *zeros,
      float *v, long row, long stride);
  void (*winograd_output)(
      const KernelConvolution *convolution, int tile, long first, long count, const float *a,
      long row, long stride);
  // One block of 32 queries of one head.
  void (*attend)(
      const KernelAttention *attention, long sample, long head, long query, HeadOperands operands,
      float *scratch);
  void (*group_sums)(const float *x, long positions, long channels, double *sums, double *squares);
  void (*scale_and_shift)(
      const float *x, long positions, long channels, const float *scale, const float *shift,
      KernelActivation activation, float *y);
  void (*layer_norm)(
      const float *x, long rows, long columns, const float *weight, const float *bias,
      float epsilon, float *y);
  void (*softmax)(const float *x, long rows, long columns, float *y);
  void (*activate)(KernelActivation activation, const float *x, long count, float *y);
  void (*gated_gelu)(const float *x, long rows, long n, float *y);
  // Gradients: for the activations dx = dy · slope; the norms' are in norms_gradient.inc.h.
  void (*activation_slope)(
      KernelActivation activation, const float *x, const float *dy, long count, float *dx);
  void (*gated_gelu_slope)(const float *x, const float *dy, long rows, long n, float *dx);
  void (*normalised_slope)(
      KernelActivation activation, const float *x, const float *dy, long positions, long channels,
      const float *scale, const float *shift, float *dx, double *sums, double *products);
  void (*combine_gradient)(
      const float *x, long positions, long channels, const float *scale, const float *slope,
      const float *offset, const float *residual, float *dx);
  void (*layer_norm_slope)(
      const float *x, const float *dy, long rows, long columns, const float *weight, float epsilon,
      const float *residual, float *dx);
  void (*attend_gradient)(
      const KernelAttentionGradient *gradient, long sample, long head, long query,
      const float *transposed_keys, float *dk, float *dv, float *scratch);
  void (*binary)(
      KernelBinary operation, const float *a, long stride_a, const float *b, long stride_b,
      long count, float *y);
  void (*combine)(float a, const float *x, float b, const float *z, long count, float *y);
  void (*unary)(KernelUnary operation, const float *x, long count, float *y);
  double (*sum)(const float *x, long count);
  double (*squared_deviations)(const float *x, long count, double mean);
  double (*exp)(double), (*log)(double), (*sin)(double), (*cos)(double), (*tanh)(double),
      (*erf)(double), (*pow)(double, double);
} KernelTable;

extern const KernelTable kernel_table_scalar, kernel_table_avx2, kernel_table_avx512,
    kernel_table_avx512_bfloat16;
const KernelTable *kernel_table(void);

// Memory of this thread that lives until the thread ends; each slot is one buffer.
float *kernel_scratch(int slot, long floats);
enum { ScratchColumns, ScratchAttention, ScratchValues, ScratchSums, ScratchTables, ScratchPanel };

void openblas_gemm(const KernelGemm *gemm);

// The (4 + 2)² places of the larger tile.
enum { MostPlaces = 36 };
int kernel_winograd_tile(const ConvolutionLayer *layer);
void kernel_winograd(const KernelConvolution *convolution);

// Panels of a packed matrix, in vectors of 16 columns: pairs, and a triple (or a single) first
// where the number of vectors is odd.
static inline long panel_count(long n) {
  long vectors = (n + 15) / 16;
  return vectors < 2 ? 1 : vectors / 2;
}
static inline long panel_width(long n, long panel) {
  long vectors = (n + 15) / 16;
  return vectors < 2 ? 1 : (panel == 0 && vectors % 2 == 1) ? 3 : 2;
}
static inline long panel_start(long n, long panel) {
  long vectors = (n + 15) / 16;
  return panel == 0 ? 0 : panel * 2 + vectors % 2;
}
// Bytes of one of B's numbers (of a pair in bfloat16).
static inline long number_size(const KernelGemm *g) { return g->format == KernelFloat32 ? 4 : 2; }
static inline const void *panel_at(const KernelGemm *g, long panel, long k) {
  const long before = 16 * (panel_start(g->n, panel) * g->k + panel_width(g->n, panel) * k);
  return (const char *)g->b + before * number_size(g);
}
static inline long minimum(long a, long b) { return a < b ? a : b; }
