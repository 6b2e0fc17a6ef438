// The hot loops behind Tensors: plain C, one header.
//
// Every function gives the same bits whatever the instruction set, the number of threads and
// the way the work was cut: an output of a product is one chain of fused multiply-adds over K
// that starts from the bias (or from zero); reductions run over 16 virtual lanes, or one chain a
// lane, with a fixed tree; nothing calls libm except fma and sqrt, which IEEE 754 defines exactly.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Instruction sets and threads -------------------------------------------------------------

typedef enum KernelInstructionSet {
  KernelScalar = 0,
  KernelAVX2 = 1,
  KernelAVX512 = 2,
} KernelInstructionSet;

bool kernel_supports(KernelInstructionSet set);
KernelInstructionSet kernel_instruction_set(void);
// False, and nothing changes, when the processor lacks the set.
bool kernel_use_instruction_set(KernelInstructionSet set);

// Cores this process may run on.
long kernel_available_cores(void);
long kernel_threads(void);
void kernel_use_threads(long threads);
// Calls body(context, 0 ..< count), each index once, from several threads; returns when all are
// done. Called from inside a body (or while another thread owns the pool) it runs inline.
void kernel_parallel(long count, void (*body)(void *context, long index), void *context);

// Bytes of physical memory.
long kernel_memory(void);
// Storage of tensors: 64-byte aligned, recycled.
float *kernel_allocate(long floats);
void kernel_release(float *pointer, long floats);
// Gives the released blocks of this size back to the system.
void kernel_forget(long floats);

// Whose single-precision products are used: evoke's own, or OpenBLAS's for comparison, which has
// another order of additions.
typedef enum KernelBackend { KernelOwn = 0, KernelOpenBLAS = 1 } KernelBackend;
KernelBackend kernel_backend(void);
void kernel_use_backend(KernelBackend backend);

// ---- Products ---------------------------------------------------------------------------------

typedef enum KernelActivation {
  KernelNone = 0,
  KernelSiLU = 1,
  KernelGELU = 2,
  KernelGELUTanh = 3,
  KernelQuickGELU = 4,
  KernelReLU = 5,
} KernelActivation;

// Numbers as a checkpoint holds them: little-endian, at any address.
typedef enum KernelFormat {
  KernelFloat32 = 0,
  KernelFloat16 = 1,
  KernelBFloat16 = 2,
} KernelFormat;
typedef struct KernelStored {
  const void *from;
  KernelFormat format;
} KernelStored;
// Single precision, exactly.
void kernel_expand(KernelStored x, long count, float *y);

// Floats that a packed [n, k] matrix takes.
long kernel_packed_count(long n, long k);
// Packs weights[n][k] (one row an output, as torch stores Linear) into column panels.
void kernel_pack_rows(KernelStored weights, long n, long k, float *packed);
// The same in the sixteen bits that the checkpoint has, two in a float's place.
void kernel_pack_row_halves(KernelStored weights, long n, long k, float *packed);
// In bfloat16, two values of K a word: kernel_packed_count(n, k / 2) floats; k is even.
void kernel_pack_rows_bfloat16(KernelStored weights, long n, long k, float *packed);
// Packs columns[k][n] (the right-hand side of a matrix product).
void kernel_pack_columns(const float *columns, long k, long n, float *packed);

// c[m][n] = activation(a · bᵀ (+ bias) (+ per sample) (+ residual)), in that order.
//
// In bfloat16 both factors are rounded to it, to nearest even; chain and result are float. A step of
// the chain takes two values of K, the second first, each a fused multiply-add with subnormal
// numbers as zeros: AVX512-BF16's VDPBF16PS, made of other instructions where that is missing.
typedef struct KernelGemm {
  long m, n, k;
  const float *a;
  long lda;
  const float *b;           // packed
  const float *bias;        // [n] or null
  const float *per_sample;  // [m / rows_per_sample][n] or null
  long rows_per_sample;
  const float *residual;  // [m][n] with stride ldc, or null
  KernelActivation activation;
  float *c;
  long ldc;
  bool bfloat16;  // b is packed so; k is even
  KernelFormat format;  // of b's numbers, expanded on the way; not with bfloat16
} KernelGemm;
void kernel_gemm(const KernelGemm *gemm);

// The part of a convolution that is fixed with its weights; it alone chooses the algorithm, whatever
// map the layer then meets.
typedef struct ConvolutionLayer {
  long inputs, outputs, kernel_height, kernel_width, stride;
  long positions;  // of the map that the layer is meant for, 0 where that is unknown
  bool bfloat16;   // as in KernelGemm; the inputs are even, the window is at most 3 × 3
  KernelFormat format;  // of the packed weights, unless they are transformed; not with bfloat16
} ConvolutionLayer;

// Floats of the packed weights, and their packing from [outputs][inputs][height][width].
long kernel_convolution_packed_count(const ConvolutionLayer *layer);
void kernel_convolution_pack(const ConvolutionLayer *layer, KernelStored weights, float *packed);

// NHWC convolution. The order of additions: chain over the window, (bias first, or behind a
// Winograd product), the sample's own vector, the residual.
typedef struct KernelConvolution {
  ConvolutionLayer layer;
  long batch, height, width, top, left, output_height, output_width;
  const float *x;
  const float *weights;  // packed
  const float *bias;
  const float *per_sample;  // [batch][outputs] or null
  const float *residual;    // as y, or null
  float *y;
} KernelConvolution;
void kernel_convolve(const KernelConvolution *convolution);

// ---- Attention, norms -------------------------------------------------------------------------

// Softmax(scale · q kᵀ) v for every head; tensors are [batch][tokens][heads · width].
typedef struct KernelAttention {
  long batch, heads, width, queries, keys;
  const float *q, *k, *v;
  float *y;
  float scale;
  bool causal;
  bool bfloat16;  // both products, as in KernelGemm; the width is even
} KernelAttention;
void kernel_attention(const KernelAttention *attention);

// x [batch][positions][channels]
typedef struct KernelGroupNorm {
  long batch, positions, channels, groups;
  const float *x, *weight, *bias;
  float *y;
  float epsilon;
  KernelActivation activation;
} KernelGroupNorm;
void kernel_group_norm(const KernelGroupNorm *norm);

void kernel_layer_norm(
    const float *x, long rows, long columns, const float *weight, const float *bias, float epsilon,
    float *y);
void kernel_softmax(const float *x, long rows, long columns, float *y);

// ---- Elementwise ------------------------------------------------------------------------------

typedef enum KernelBinary { KernelAdd, KernelSubtract, KernelMultiply, KernelDivide } KernelBinary;
typedef enum KernelUnary {
  KernelExp,
  KernelLog,
  KernelSqrt,
  KernelAbs,
  KernelSin,
  KernelCos,
  KernelTanh,
  KernelErf,
  KernelNegate,
} KernelUnary;

void kernel_binary(KernelBinary operation, const float *a, const float *b, long count, float *y);
// One operand of strides 0 or 1 per element, for broadcasting along the last axis.
void kernel_binary_strided(
    KernelBinary operation, const float *a, long stride_a, const float *b, long stride_b,
    long count, float *y);
void kernel_scale(const float *x, float factor, long count, float *y);
// y = a·x + b·z, as fma(a, x, b·z).
void kernel_combine(float a, const float *x, float b, const float *z, long count, float *y);
void kernel_activate(KernelActivation activation, const float *x, long count, float *y);
// Correctly rounded but for about one input in 10⁷: computed in double.
void kernel_unary(KernelUnary operation, const float *x, long count, float *y);
// x [rows][2n] → y [rows][n]: first half · gelu(second half).
void kernel_gated_gelu(const float *x, long rows, long n, float *y);

// ---- Rearranging ------------------------------------------------------------------------------

// x [batch][rows][columns] → y [batch][columns][rows]
void kernel_transpose(const float *x, long batch, long rows, long columns, float *y);
// y, contiguous of the given shape, from x with the given strides (in floats); rank ≤ 8.
void kernel_gather(const float *x, long rank, const long *shape, const long *strides, float *y);
// NHWC nearest neighbour, twice the size.
void kernel_upsample(
    const float *x, long batch, long height, long width, long channels, float *y);
// Sum of the elements in double: 16 lanes over the index, then a fixed tree.
double kernel_sum(const float *x, long count);
double kernel_sum_of_squared_deviations(const float *x, long count, double mean);

// ---- Elementary functions ---------------------------------------------------------------------

double kernel_exp(double x);
double kernel_log(double x);
double kernel_sin(double x);
double kernel_cos(double x);
double kernel_tanh(double x);
double kernel_erf(double x);
double kernel_pow(double x, double y);

// ---- OpenBLAS ---------------------------------------------------------------------------------

// "Haswell" where the core could be pinned, else the name of the core OpenBLAS chose.
const char *kernel_openblas_core(void);
// False for builds for one fixed core.
bool kernel_openblas_can_choose(void);
// Another core type, or OpenBLAS's own choice (null): for measurements only, never beside results.
bool kernel_openblas_use(const char *core);

#ifdef __cplusplus
}
#endif
