// Statistics of group normalisation, shared by the norm and its gradient.
#pragma once
#include "include/kernels.h"

typedef struct Grouping {
  const KernelGroupNorm *norm;
  long chunks;
  double *sums;   // [batch][chunks][2][channels]
  float *tables;  // [batch][2][channels]: scale, shift
} Grouping;

// A run of positions of one sample: where it starts in x, in floats.
typedef struct Chunk {
  long sample, offset, positions;
} Chunk;

typedef struct GroupStatistics {
  double mean, inverse;  // inverse of the standard deviation
} GroupStatistics;

// The sums and the tables of x; released by norm_grouping_release.
Grouping norm_grouping(const KernelGroupNorm *norm);
void norm_grouping_release(Grouping *grouping);
Chunk norm_chunk(const Grouping *grouping, long unit);
GroupStatistics group_statistics(const Grouping *grouping, long sample, long group);
