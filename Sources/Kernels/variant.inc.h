// Everything a variant compiles; the includer names KERNEL_TABLE and WIDE_TILES.
#include "table.h"
#include "vector.h"
#include "elementary.inc.h"
#include "elementary_double.inc.h"
#include "trigonometry.inc.h"
#include "packing.inc.h"
#include "gemm.inc.h"
#include "winograd.inc.h"
#include "attention.inc.h"
#include "attention_gradient.inc.h"
#include "norms.inc.h"
#include "norms_gradient.inc.h"
#include "elementwise.inc.h"

const KernelTable KERNEL_TABLE = {
    .product = product,
    .pair = pair,
    .halve = halve,
    .expand = expand,
    .expand_panel = expand_panel,
    .transpose_panel = transpose_panel,
    .winograd_filters = winograd_filters,
    .winograd_input = winograd_input,
    .winograd_output = winograd_output,
    .attend = attend,
    .group_sums = group_sums,
    .scale_and_shift = scale_and_shift,
    .layer_norm = layer_norm,
    .softmax = softmax,
    .activate = activate,
    .gated_gelu = gated_gelu,
    .activation_slope = activation_slope,
    .gated_gelu_slope = gated_gelu_slope,
    .normalised_slope = normalised_slope,
    .combine_gradient = combine_gradient,
    .layer_norm_slope = layer_norm_slope,
    .attend_gradient = attend_gradient,
    .binary = binary,
    .combine = combine,
    .unary = unary,
    .sum = sum_of,
    .squared_deviations = squared_deviations_of,
    .exp = double_exp,
    .log = double_log,
    .sin = double_sin,
    .cos = double_cos,
    .tanh = double_tanh,
    .erf = double_erf,
    .pow = double_pow,
};
