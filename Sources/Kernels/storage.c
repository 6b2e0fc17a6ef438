// Memory: the tensors' recycled blocks and each thread's scratch.
//
// A forward pass asks for the same few hundred sizes again and again. Fresh pages from the system
// would cost more than many of the kernels, so that released blocks are kept by size class (up to
// a total) and large ones lie on huge pages.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "table.h"

enum { HugePage = 2 << 20 };

// Large blocks lie on huge pages as far as `wanted` bytes fill them.
static void *aligned_bytes(size_t bytes, size_t wanted) {
  const bool large = bytes >= 2 * HugePage;
  void *pointer = NULL;
  if (posix_memalign(&pointer, large ? HugePage : 64, bytes) != 0) abort();
#if defined(MADV_HUGEPAGE)
  if (large) madvise(pointer, wanted / HugePage * HugePage, MADV_HUGEPAGE);
#endif
  return pointer;
}

// Size classes: multiples of 1/8 of a power of two, from 1 KiB up, each with its free blocks.
enum { Classes = 8 * 40, KeptBytes = 512 << 20 };

typedef struct FreeBlock {
  struct FreeBlock *next;
} FreeBlock;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FreeBlock *kept[Classes];
static size_t kept_bytes;

// The class of a size, and the size of its blocks.
static int size_class(size_t bytes, size_t *block) {
  if (bytes < 1024) bytes = 1024;
  const int power = 63 - __builtin_clzll(bytes - 1);
  const size_t step = (size_t)1 << (power - 3);
  *block = (bytes + step - 1) / step * step;
  const int index = (power - 9) * 8 + (int)((*block - ((size_t)1 << power)) / step) - 1;
  return index;
}

long kernel_memory(void) { return sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE); }

float *kernel_allocate(long floats) {
  size_t block;
  const int class = size_class((size_t)(floats > 0 ? floats : 1) * sizeof(float), &block);
  pthread_mutex_lock(&lock);
  FreeBlock *found = class < Classes ? kept[class] : NULL;
  if (found) {
    kept[class] = found->next;
    kept_bytes -= block;
  }
  pthread_mutex_unlock(&lock);
  return found ? (float *)(void *)found : aligned_bytes(block, (size_t)floats * sizeof(float));
}

void kernel_release(float *pointer, long floats) {
  size_t block;
  const int class = size_class((size_t)(floats > 0 ? floats : 1) * sizeof(float), &block);
  pthread_mutex_lock(&lock);
  const bool keep = class < Classes && kept_bytes + block <= KeptBytes;
  if (keep) {
    FreeBlock *freed = (FreeBlock *)(void *)pointer;
    freed->next = kept[class];
    kept[class] = freed;
    kept_bytes += block;
  }
  pthread_mutex_unlock(&lock);
  if (!keep) free(pointer);
}

void kernel_forget(long floats) {
  size_t block;
  const int class = size_class((size_t)floats * sizeof(float), &block);
  if (class >= Classes) return;
  pthread_mutex_lock(&lock);
  FreeBlock *freed = kept[class];
  kept[class] = NULL;
  for (FreeBlock *at = freed; at; at = at->next) kept_bytes -= block;
  pthread_mutex_unlock(&lock);
  while (freed) {
    FreeBlock *next = freed->next;
    free(freed);
    freed = next;
  }
}

enum { Slots = 8 };
static _Thread_local struct {
  float *pointer;
  long floats;
} scratch[Slots];

float *kernel_scratch(int slot, long floats) {
  if (scratch[slot].floats < floats) {
    free(scratch[slot].pointer);
    scratch[slot].pointer = aligned_bytes((size_t)floats * sizeof(float), (size_t)floats * sizeof(float));
    scratch[slot].floats = floats;
  }
  return scratch[slot].pointer;
}
