#pragma once
// Double-precision loops of the search algorithms (Sources/Evolution). Each output is one chain
// of fused multiply-adds; lanes run over outputs, and reductions have eight fixed lanes, so that
// every instruction set gives the same bits.

// c[m][n] = a[m][k] · b[k][n], row-major, each output summed over k from 0 up.
void kernel_double_product(long m, long n, long k, const double *a, const double *b, double *c);

// Lower triangle of out = decay · in + Σ_r w[r] y[r] y[r]ᵀ, matrices [n][n], y [k][n], r from 0
// up. `in` and `out` may be the same; the upper triangle is neither read nor meant.
void kernel_double_rank_update(
    long n, long k, double decay, const double *in, double *out, const double *y,
    const double *w);

// Eigen-decomposition of a symmetric matrix [n][n], of which the lower triangle is read:
// Householder tridiagonalisation and implicit QL (EISPACK tred2, imtql2). `values` ascending,
// row j of `vectors` the eigenvector of values[j], its component of largest magnitude (the first
// such) positive. `work` holds n*n + 8*n doubles. Returns 0, or 1 when QL does not converge.
int kernel_double_eigen(
    long n, const double *matrix, double *values, double *vectors, double *work);
