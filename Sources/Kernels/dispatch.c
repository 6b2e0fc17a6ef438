// The variant in use, chosen once from what the processor has.
#include <stdatomic.h>
#include <stdlib.h>

#include "table.h"

static const KernelTable *table_of(KernelInstructionSet set) {
#if defined(__x86_64__)
  if (set == KernelAVX512)
    return __builtin_cpu_supports("avx512bf16") ? &kernel_table_avx512_bfloat16
                                                : &kernel_table_avx512;
  if (set == KernelAVX2) return &kernel_table_avx2;
#endif
  return &kernel_table_scalar;
}

bool kernel_supports(KernelInstructionSet set) {
#if defined(__x86_64__)
  if (set == KernelAVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("fma");
  if (set == KernelAVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return set == KernelScalar;
}

static _Atomic(int) chosen = -1;

KernelInstructionSet kernel_instruction_set(void) {
  int set = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (set < 0) {
    set = kernel_supports(KernelAVX512) ? KernelAVX512
          : kernel_supports(KernelAVX2) ? KernelAVX2
                                        : KernelScalar;
    atomic_store(&chosen, set);
  }
  return (KernelInstructionSet)set;
}

bool kernel_use_instruction_set(KernelInstructionSet set) {
  if (!kernel_supports(set)) return false;
  atomic_store(&chosen, set);
  return true;
}

const KernelTable *kernel_table(void) { return table_of(kernel_instruction_set()); }

double kernel_exp(double x) { return kernel_table()->exp(x); }
double kernel_log(double x) { return kernel_table()->log(x); }
double kernel_sin(double x) { return kernel_table()->sin(x); }
double kernel_cos(double x) { return kernel_table()->cos(x); }
double kernel_tanh(double x) { return kernel_table()->tanh(x); }
double kernel_erf(double x) { return kernel_table()->erf(x); }
double kernel_pow(double x, double y) { return kernel_table()->pow(x, y); }
