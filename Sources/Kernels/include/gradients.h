#pragma once
// Reverse mode: the vector–Jacobian products of kernels.h, with respect to inputs; weights are
// frozen. As there, an output is one chain of fused multiply-adds, or a sum with a fixed tree.
#include "kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- Convolution ------------------------------------------------------------------------------

// The layer of stride 1 that takes a convolution's output gradient (spread by its stride) to its
// input's: inputs and outputs exchanged; always in single precision.
ConvolutionLayer kernel_convolution_transposed(const ConvolutionLayer *layer);
// Its filters [inputs][outputs][taps]: those of the layer, [outputs][inputs][taps], turned by 180°.
void kernel_transpose_filters(
    const float *filters, long outputs, long inputs, long taps, float *turned);
// y [batch][(height − 1)·stride + 1][…][channels]: x with zeros between its pixels.
void kernel_spread(
    const float *x, long batch, long height, long width, long channels, long stride, float *y);

// ---- Norms, activations, attention ------------------------------------------------------------

// dx = the gradient of norm.x (+ residual), given dy of activation(norm(x)); norm.y is not used.
typedef struct KernelGroupNormGradient {
  KernelGroupNorm norm;
  const float *dy;
  const float *residual;  // as dx, or null
  float *dx;
} KernelGroupNormGradient;
void kernel_group_norm_gradient(const KernelGroupNormGradient *gradient);

void kernel_layer_norm_gradient(
    const float *x, const float *dy, long rows, long columns, const float *weight, float epsilon,
    const float *residual, float *dx);
// dx = dy · activation'(x)
void kernel_activation_gradient(
    KernelActivation activation, const float *x, const float *dy, long count, float *dx);
// x, dx [rows][2n]; dy [rows][n]
void kernel_gated_gelu_gradient(const float *x, const float *dy, long rows, long n, float *dx);

// dq, dk, dv of attention(q, k, v), shaped as these; attention.y is not used.
typedef struct KernelAttentionGradient {
  KernelAttention attention;
  const float *dy;
  float *dq, *dk, *dv;
} KernelAttentionGradient;
void kernel_attention_gradient(const KernelAttentionGradient *gradient);

// dx [batch][source_height][source_width][channels]: the sums of dy [batch][height][width][channels]
// over the pixels that took theirs from (rows[y], columns[x]).
void kernel_nearest_gradient(
    const float *dy, long batch, long height, long width, long channels, const long *rows,
    const long *columns, long source_height, long source_width, float *dx);

#ifdef __cplusplus
}
#endif
