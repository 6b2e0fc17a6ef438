// Pins OpenBLAS to one core type and one thread before anything calls it, so that its
// double-precision results are the same bytes on every machine with FMA, whatever
// OPENBLAS_CORETYPE says. Builds for one fixed core lack the two entry points: nothing to pin.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "include/kernels.h"

// One thread. Those that OpenBLAS starts when it is loaded would spin for a tenth of a second
// before they sleep; to set the number starts them again.
static void use_one_thread(void) {
  openblas_set_num_threads(1);
  int (*end)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "blas_thread_shutdown_");
  if (end) end();
}

bool kernel_openblas_can_choose(void) {
  return dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit") &&
         dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
}

bool kernel_openblas_use(const char *core) {
  void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
  void (*start)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
  if (!quit || !start) return false;
  const char *before = getenv("OPENBLAS_CORETYPE");
  char *kept = before ? strdup(before) : NULL;
  if (core) setenv("OPENBLAS_CORETYPE", core, 1);
  else unsetenv("OPENBLAS_CORETYPE");
  quit();
  start();
  if (kept) setenv("OPENBLAS_CORETYPE", kept, 1);
  else unsetenv("OPENBLAS_CORETYPE");
  free(kept);
  use_one_thread();
  return !core || strcmp(openblas_get_corename(), core) == 0;
}

__attribute__((constructor)) static void pin_openblas(void) {
  if (!kernel_supports(KernelAVX2) || !kernel_openblas_use("Haswell")) use_one_thread();
}

const char *kernel_openblas_core(void) { return openblas_get_corename(); }
