#pragma once
#include <cblas.h>

// LAPACK's Fortran symbols, which OpenBLAS exports (Debian ships no LAPACKE). Every argument is a
// pointer; the lengths of the character arguments are omitted, as C callers of LAPACK do.
void dsyevd_(
    const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
    double *work, const int *lwork, int *iwork, const int *liwork, int *info);
void dgesdd_(
    const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
    const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork,
    int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
