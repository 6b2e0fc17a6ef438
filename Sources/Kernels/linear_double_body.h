// Body of linear_double.c: included once for each instruction set, with TARGET and VARIANT set.

// MARK: Matrix product

// `rows` (1…5) rows of c over `n` columns from `j`, a strip of 16 columns at a time; what is left
// of the width is done one column at a time, in the same chain over k.
#define STRIP_ROWS(R)                                                                         \
  TARGET static void VARIANT(strip_##R)(                                                      \
      long n, long k, const double *a, const double *b, double *c) {                          \
    long j = 0;                                                                               \
    for (; j + 16 <= n; j += 16) {                                                            \
      lanes s0[R], s1[R];                                                                     \
      for (int r = 0; r < R; r++) s0[r] = s1[r] = SPLAT(0.0);                                 \
      for (long p = 0; p < k; p++) {                                                          \
        lanes b0 = LOAD(b + p * n + j), b1 = LOAD(b + p * n + j + 8);                         \
        for (int r = 0; r < R; r++) {                                                         \
          lanes x = SPLAT(a[r * k + p]);                                                      \
          s0[r] = FMA(x, b0, s0[r]);                                                          \
          s1[r] = FMA(x, b1, s1[r]);                                                          \
        }                                                                                     \
      }                                                                                       \
      for (int r = 0; r < R; r++) STORE(c + r * n + j, s0[r]), STORE(c + r * n + j + 8, s1[r]); \
    }                                                                                         \
    for (; j < n; j++)                                                                        \
      for (int r = 0; r < R; r++) {                                                           \
        double s = 0.0;                                                                       \
        for (long p = 0; p < k; p++) s = __builtin_fma(a[r * k + p], b[p * n + j], s);        \
        c[r * n + j] = s;                                                                     \
      }                                                                                       \
  }
STRIP_ROWS(1)
STRIP_ROWS(5)
#undef STRIP_ROWS

TARGET static void VARIANT(product)(
    long m, long n, long k, const double *a, const double *b, double *c) {
  long i = 0;
  for (; i + 5 <= m; i += 5) VARIANT(strip_5)(n, k, a + i * k, b, c + i * n);
  for (; i < m; i++) VARIANT(strip_1)(n, k, a + i * k, b, c + i * n);
}

// MARK: Covariance update

// Rows i … i+3, k ≤ 64 terms. Each row is written as far as the strip that holds its diagonal
// element, within the matrix.
TARGET static void VARIANT(rank_rows)(
    long n, long k, long i, double decay, const double *in, double *out, const double *y,
    const double *w) {
  double f[64][4];
  for (long p = 0; p < k; p++)
    for (int r = 0; r < 4; r++) f[p][r] = w[p] * y[p * n + i + r];
  lanes scale = SPLAT(decay);
  long end = i + 4, j = 0;
  for (; j < end && j + 16 <= n; j += 16) {
    lanes s[4], t[4];
    for (int r = 0; r < 4; r++) {
      s[r] = scale * LOAD(in + (i + r) * n + j);
      t[r] = scale * LOAD(in + (i + r) * n + j + 8);
    }
    for (long p = 0; p < k; p++) {
      lanes u = LOAD(y + p * n + j), v = LOAD(y + p * n + j + 8);
      for (int r = 0; r < 4; r++) {
        lanes x = SPLAT(f[p][r]);
        s[r] = FMA(x, u, s[r]);
        t[r] = FMA(x, v, t[r]);
      }
    }
    for (int r = 0; r < 4; r++) {
      STORE(out + (i + r) * n + j, s[r]);
      STORE(out + (i + r) * n + j + 8, t[r]);
    }
  }
  for (; j < end; j++)
    for (int r = 0; r < 4; r++) {
      double s = decay * in[(i + r) * n + j];
      for (long p = 0; p < k; p++) s = __builtin_fma(f[p][r], y[p * n + j], s);
      out[(i + r) * n + j] = s;
    }
}

// Terms are taken 64 at a time: a chain goes on from what the last block left.
TARGET static void VARIANT(rank_update)(
    long n, long k, double decay, const double *in, double *out, const double *y,
    const double *w) {
  long first = 0;
  do {
    long terms = k - first < 64 ? k - first : 64, i = 0;
    const double *ys = y + first * n, *ws = w + first;
    for (; i + 4 <= n; i += 4) VARIANT(rank_rows)(n, terms, i, decay, in, out, ys, ws);
    for (; i < n; i++)
      for (long j = 0; j <= i; j++) {
        double s = decay * in[i * n + j];
        for (long p = 0; p < terms; p++)
          s = __builtin_fma(ws[p] * ys[p * n + i], ys[p * n + j], s);
        out[i * n + j] = s;
      }
    first += terms, decay = 1.0, in = out;
  } while (first < k);
}

// MARK: Vectors

// Σ x[i] y[i] in eight lanes, added up as a tree.
TARGET static double VARIANT(dot)(long n, const double *x, const double *y) {
  lanes s = SPLAT(0.0);
  long i = 0;
  for (; i + 8 <= n; i += 8) s = FMA(LOAD(x + i), LOAD(y + i), s);
  for (; i < n; i++) s[i & 7] = __builtin_fma(x[i], y[i], s[i & 7]);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

// y += a·x
TARGET static void VARIANT(axpy)(long n, double a, const double *x, double *y) {
  lanes f = SPLAT(a);
  long i = 0;
  for (; i + 8 <= n; i += 8) STORE(y + i, FMA(f, LOAD(x + i), LOAD(y + i)));
  for (; i < n; i++) y[i] = __builtin_fma(a, x[i], y[i]);
}

// p[0…n) = Σ_r f[r] a[r][0…n), rows `stride` apart, r from 0 up.
TARGET static void VARIANT(combine_rows)(
    long n, long rows, long stride, const double *f, const double *a, double *p) {
  long i = 0;
  for (; i + 32 <= n; i += 32) {
    lanes s[4] = {SPLAT(0.0), SPLAT(0.0), SPLAT(0.0), SPLAT(0.0)};
    for (long r = 0; r < rows; r++) {
      lanes x = SPLAT(f[r]);
      for (int q = 0; q < 4; q++) s[q] = FMA(x, LOAD(a + r * stride + i + 8 * q), s[q]);
    }
    for (int q = 0; q < 4; q++) STORE(p + i + 8 * q, s[q]);
  }
  for (; i + 8 <= n; i += 8) {
    lanes s = SPLAT(0.0);
    for (long r = 0; r < rows; r++) s = FMA(SPLAT(f[r]), LOAD(a + r * stride + i), s);
    STORE(p + i, s);
  }
  for (; i < n; i++) {
    double s = 0.0;
    for (long r = 0; r < rows; r++) s = __builtin_fma(f[r], a[r * stride + i], s);
    p[i] = s;
  }
}

// MARK: Eigen-decomposition

// A → tridiagonal (d, e) with Householder reflections H_k = 1 − β v vᵀ; v_k stays in row k of A
// behind the diagonal and β_k in `beta`.
TARGET static void VARIANT(tridiagonalise)(
    long n, double *A, double *d, double *e, double *beta, double *p) {
  for (long k = 0; k + 2 < n; k++) {
    long m = n - k - 1;
    double *v = A + k * n + k + 1, *S = A + (k + 1) * n + k + 1;
    d[k] = A[k * n + k];
    double tail = VARIANT(dot)(m - 1, v + 1, v + 1);
    if (tail == 0.0) {
      e[k] = v[0], beta[k] = 0.0;
      continue;
    }
    double norm = sqrt(__builtin_fma(v[0], v[0], tail)), alpha = v[0] > 0.0 ? -norm : norm;
    e[k] = alpha;
    v[0] -= alpha;
    double b = 2.0 / __builtin_fma(v[0], v[0], tail);
    beta[k] = b;
    VARIANT(combine_rows)(m, m, n, v, S, p);
    double half = -0.5 * b * b * VARIANT(dot)(m, v, p);
    for (long i = 0; i < m; i++) p[i] = __builtin_fma(half, v[i], b * p[i]);
    for (long i = 0; i < m; i++) {
      double *row = S + i * n;
      lanes f = SPLAT(-v[i]), g = SPLAT(-p[i]);
      long j = 0;
      for (; j + 8 <= m; j += 8)
        STORE(row + j, FMA(f, LOAD(p + j), FMA(g, LOAD(v + j), LOAD(row + j))));
      for (; j < m; j++)
        row[j] = __builtin_fma(-v[i], p[j], __builtin_fma(-p[i], v[j], row[j]));
    }
  }
  if (n > 1) {
    d[n - 2] = A[(n - 2) * n + n - 2];
    e[n - 2] = A[(n - 2) * n + n - 1];
  }
  d[n - 1] = A[n * n - 1];
  e[n - 1] = 0.0;
}

// V = (H_0 H_1 …)ᵀ, from the last reflection to the first, in the growing lower right corner.
TARGET static void VARIANT(accumulate)(
    long n, const double *A, const double *beta, double *V, double *p) {
  memset(V, 0, sizeof(double) * n * n);
  for (long i = 0; i < n; i++) V[i * n + i] = 1.0;
  for (long k = n - 3; k >= 0; k--) {
    if (beta[k] == 0.0) continue;
    long m = n - k - 1;
    const double *v = A + k * n + k + 1;
    double *Q = V + (k + 1) * n + k + 1;
    VARIANT(combine_rows)(m, m, n, v, Q, p);
    for (long i = 0; i < m; i++) VARIANT(axpy)(m, -(beta[k] * v[i]), p, Q + i * n);
  }
  for (long i = 0; i < n; i++)
    for (long j = 0; j < i; j++) {
      double t = V[i * n + j];
      V[i * n + j] = V[j * n + i];
      V[j * n + i] = t;
    }
}

// One QL sweep's rotations of rows (i, i+1), i from m−1 down to l, in strips of columns, so that
// the row carried along stays in a register.
TARGET static void VARIANT(rotate_rows)(
    long n, long l, long m, const double *c, const double *s, double *V) {
  long j = 0;
  for (; j + 32 <= n; j += 32) {
    lanes carry[4];
    for (int q = 0; q < 4; q++) carry[q] = LOAD(V + m * n + j + 8 * q);
    for (long i = m - 1; i >= l; i--) {
      lanes ci = SPLAT(c[i]), si = SPLAT(s[i]), mi = SPLAT(-s[i]);
      for (int q = 0; q < 4; q++) {
        lanes t = LOAD(V + i * n + j + 8 * q);
        STORE(V + (i + 1) * n + j + 8 * q, FMA(si, t, ci * carry[q]));
        carry[q] = FMA(ci, t, mi * carry[q]);
      }
    }
    for (int q = 0; q < 4; q++) STORE(V + l * n + j + 8 * q, carry[q]);
  }
  for (; j + 8 <= n; j += 8) {
    lanes carry = LOAD(V + m * n + j);
    for (long i = m - 1; i >= l; i--) {
      lanes t = LOAD(V + i * n + j);
      STORE(V + (i + 1) * n + j, FMA(SPLAT(s[i]), t, SPLAT(c[i]) * carry));
      carry = FMA(SPLAT(c[i]), t, SPLAT(-s[i]) * carry);
    }
    STORE(V + l * n + j, carry);
  }
  for (; j < n; j++) {
    double carry = V[m * n + j];
    for (long i = m - 1; i >= l; i--) {
      double t = V[i * n + j];
      V[(i + 1) * n + j] = __builtin_fma(s[i], t, c[i] * carry);
      carry = __builtin_fma(c[i], t, -s[i] * carry);
    }
    V[l * n + j] = carry;
  }
}

// Implicit QL on (d, e), the rotations applied to the rows of V.
TARGET static int VARIANT(ql)(long n, double *d, double *e, double *V, double *c, double *s) {
  for (long l = 0; l < n; l++) {
    for (int sweep = 0;; sweep++) {
      long m = l;
      for (; m < n - 1; m++) {
        double size = fabs(d[m]) + fabs(d[m + 1]);
        if (fabs(e[m]) + size == size) break;
      }
      if (m == l) break;
      if (sweep == 60) return 1;
      double g = (d[l + 1] - d[l]) / (2.0 * e[l]), r = sqrt(__builtin_fma(g, g, 1.0));
      g = d[m] - d[l] + e[l] / (g + (g < 0.0 ? -r : r));
      double sine = 1.0, cosine = 1.0, p = 0.0;
      long i = m - 1;
      for (; i >= l; i--) {
        double f = sine * e[i], b = cosine * e[i];
        e[i + 1] = r = sqrt(__builtin_fma(f, f, g * g));
        if (r == 0.0) {
          d[i + 1] -= p;
          e[m] = 0.0;
          break;
        }
        double inverse = 1.0 / r;
        sine = f * inverse, cosine = g * inverse;
        g = d[i + 1] - p;
        r = __builtin_fma(d[i] - g, sine, 2.0 * cosine * b);
        p = sine * r;
        d[i + 1] = g + p;
        g = __builtin_fma(cosine, r, -b);
        c[i] = cosine, s[i] = sine;
      }
      VARIANT(rotate_rows)(n, i + 1, m, c, s, V);
      if (i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0.0;
    }
  }
  return 0;
}

// Rows of V in ascending order of d, signs by the convention, into `values` and `vectors`.
TARGET static void VARIANT(sort_and_sign)(
    long n, const double *d, const double *V, double *values, double *vectors, double *taken) {
  memset(taken, 0, sizeof(double) * n);
  for (long j = 0; j < n; j++) {
    long best = -1;
    for (long i = 0; i < n; i++)
      if (taken[i] == 0.0 && (best < 0 || d[i] < d[best])) best = i;
    taken[best] = 1.0;
    values[j] = d[best];
    const double *row = V + best * n;
    double largest = 0.0, sign = 1.0;
    for (long i = 0; i < n; i++)
      if (fabs(row[i]) > largest) largest = fabs(row[i]), sign = row[i] < 0.0 ? -1.0 : 1.0;
    for (long i = 0; i < n; i++) vectors[j * n + i] = sign * row[i];
  }
}

TARGET static int VARIANT(symmetric_eigen)(
    long n, const double *matrix, double *values, double *vectors, double *work) {
  double *A = vectors, *V = work, *d = work + n * n, *e = d + n, *beta = e + n, *p = beta + n;
  double *c = p + n, *s = c + n, largest = 0.0;
  for (long i = 0; i < n; i++)
    for (long j = 0; j <= i; j++)
      if (fabs(matrix[i * n + j]) > largest) largest = fabs(matrix[i * n + j]);
  // A power of two brings the entries near one, exactly, against over- and underflow of squares.
  int exponent = 0;
  frexp(largest, &exponent);
  double down = ldexp(1.0, -exponent), up = ldexp(1.0, exponent);
  for (long i = 0; i < n; i++)
    for (long j = 0; j <= i; j++) A[i * n + j] = A[j * n + i] = down * matrix[i * n + j];
  VARIANT(tridiagonalise)(n, A, d, e, beta, p);
  VARIANT(accumulate)(n, A, beta, V, p);
  int failed = VARIANT(ql)(n, d, e, V, c, s);
  VARIANT(sort_and_sign)(n, d, V, values, vectors, p);
  for (long i = 0; i < n; i++) values[i] *= up;
  return failed;
}
