// Memory: the tensors' recycled blocks and each thread's scratch.
#include <pthread.h>
#include <stdlib.h>

#include "table.h"

static float *aligned_floats(long floats) {
  const size_t bytes = ((size_t)(floats > 0 ? floats : 1) * sizeof(float) + 63) / 64 * 64;
  void *pointer = NULL;
  if (posix_memalign(&pointer, 64, bytes) != 0) abort();
  return pointer;
}

float *kernel_allocate(long floats) { return aligned_floats(floats); }
void kernel_release(float *pointer, long floats) {
  (void)floats;
  free(pointer);
}

enum { Slots = 8 };
static _Thread_local struct {
  float *pointer;
  long floats;
} scratch[Slots];

float *kernel_scratch(int slot, long floats) {
  if (scratch[slot].floats < floats) {
    free(scratch[slot].pointer);
    scratch[slot].pointer = aligned_floats(floats);
    scratch[slot].floats = floats;
  }
  return scratch[slot].pointer;
}
