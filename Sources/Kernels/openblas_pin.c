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

static bool pinned;

__attribute__((constructor)) static void pin_openblas(void) {
  void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
  void (*start)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
  if (quit && start && kernel_supports(KernelAVX2)) {
    const char *before = getenv("OPENBLAS_CORETYPE");
    char *kept = before ? strdup(before) : NULL;
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    quit();
    start();
    if (kept) setenv("OPENBLAS_CORETYPE", kept, 1);
    else unsetenv("OPENBLAS_CORETYPE");
    free(kept);
    pinned = strcmp(openblas_get_corename(), "Haswell") == 0;
  }
  openblas_set_num_threads(1);
}

const char *kernel_openblas_core(void) { return openblas_get_corename(); }
bool kernel_openblas_pinned(void) { return pinned; }
