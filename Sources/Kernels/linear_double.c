// Double-precision loops of the search algorithms, one body compiled for three instruction sets.

#include "include/linear_double.h"
#include "include/kernels.h"

#include <math.h>
#include <string.h>

// Eight doubles: one AVX-512 register, two AVX2 registers, or eight scalars.
typedef double lanes __attribute__((vector_size(64), aligned(8)));
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define SPLAT(x) ((lanes){x, x, x, x, x, x, x, x})
#define LOAD(p) (*(const lanes *)(p))
#define STORE(p, v) (*(lanes *)(p) = (v))

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,fma")))
#define VARIANT(name) name##_avx512
#include "linear_double_body.h"
#undef TARGET
#undef VARIANT
#define TARGET __attribute__((target("avx2,fma")))
#define VARIANT(name) name##_avx2
#include "linear_double_body.h"
#undef TARGET
#undef VARIANT
#endif
#define TARGET
#define VARIANT(name) name##_scalar
#include "linear_double_body.h"

#if defined(__x86_64__)
#define DISPATCH(name, ...)                                              \
  switch (kernel_instruction_set()) {                                    \
    case KernelAVX512: return name##_avx512(__VA_ARGS__);                \
    case KernelAVX2: return name##_avx2(__VA_ARGS__);                    \
    default: return name##_scalar(__VA_ARGS__);                          \
  }
#else
#define DISPATCH(name, ...) return name##_scalar(__VA_ARGS__);
#endif

void kernel_double_product(
    long m, long n, long k, const double *a, const double *b, double *c) {
  DISPATCH(product, m, n, k, a, b, c)
}

void kernel_double_rank_update(
    long n, long k, double decay, const double *in, double *out, const double *y,
    const double *w) {
  DISPATCH(rank_update, n, k, decay, in, out, y, w)
}

int kernel_double_eigen(
    long n, const double *matrix, double *values, double *vectors, double *work) {
  DISPATCH(symmetric_eigen, n, matrix, values, vectors, work)
}
