// A pool of threads that take indices from a counter. Which thread runs which index is left to
// chance; no result depends on it.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "include/kernels.h"

typedef void (*Body)(void *context, long index);

static struct {
  pthread_mutex_t owner;  // held by the one caller whose work the pool does
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  long workers;      // threads started
  long threads;      // threads wanted, the caller included; 0 before the first use
  _Atomic(unsigned long) generation;
  long helpers;      // workers that may join this generation
  _Atomic(long) busy;  // workers inside this generation
  Body body;
  void *context;
  long count;
  _Atomic(long) next;
} pool = {
    .owner = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
};
static _Thread_local bool inside;

long kernel_available_cores(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? cores : 1;
}

long kernel_threads(void) {
  pthread_mutex_lock(&pool.lock);
  if (pool.threads == 0) pool.threads = kernel_available_cores();
  const long threads = pool.threads;
  pthread_mutex_unlock(&pool.lock);
  return threads;
}

void kernel_use_threads(long threads) {
  pthread_mutex_lock(&pool.lock);
  pool.threads = threads < 1 ? 1 : threads > 256 ? 256 : threads;
  pthread_mutex_unlock(&pool.lock);
}

static void take_indices(Body body, void *context, long count) {
  for (;;) {
    const long index = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    if (index >= count) return;
    body(context, index);
  }
}

// Work follows work within microseconds in a forward pass: looking a little longer before going
// to sleep saves waking up.
enum { Looks = 1000 };
static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void *worker(void *unused) {
  (void)unused;
  inside = true;
  unsigned long seen = 0;
  for (;;) {
    for (int look = 0; look < Looks && atomic_load(&pool.generation) == seen; look++)
      pause_briefly();
    pthread_mutex_lock(&pool.lock);
    while (pool.generation == seen || pool.helpers == 0) {
      seen = pool.generation;
      pthread_cond_wait(&pool.work, &pool.lock);
    }
    seen = pool.generation;
    pool.helpers--;
    pool.busy++;
    Body body = pool.body;
    void *context = pool.context;
    const long count = pool.count;
    pthread_mutex_unlock(&pool.lock);
    take_indices(body, context, count);
    pthread_mutex_lock(&pool.lock);
    if (--pool.busy == 0) pthread_cond_signal(&pool.done);
    pthread_mutex_unlock(&pool.lock);
  }
  return NULL;
}

static void start_workers(long wanted) {
  while (pool.workers < wanted) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 4 << 20);
    const int failed = pthread_create(&thread, &attributes, worker, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) return;
    pool.workers++;
  }
}

void kernel_parallel(long count, Body body, void *context) {
  const long threads = count > 1 && !inside ? kernel_threads() : 1;
  if (threads == 1 || pthread_mutex_trylock(&pool.owner) != 0) {
    const bool outer = inside;
    for (long index = 0; index < count; index++) body(context, index);
    inside = outer;
    return;
  }
  pthread_mutex_lock(&pool.lock);
  start_workers(threads - 1);
  pool.body = body;
  pool.context = context;
  pool.count = count;
  atomic_store(&pool.next, 0);
  pool.helpers = threads - 1 < count - 1 ? threads - 1 : count - 1;
  pool.generation++;
  pthread_cond_broadcast(&pool.work);
  pthread_mutex_unlock(&pool.lock);
  inside = true;
  take_indices(body, context, count);
  inside = false;
  pthread_mutex_lock(&pool.lock);
  pool.helpers = 0;
  pthread_mutex_unlock(&pool.lock);
  for (int look = 0; look < Looks && atomic_load(&pool.busy) > 0; look++) pause_briefly();
  pthread_mutex_lock(&pool.lock);
  while (pool.busy > 0) pthread_cond_wait(&pool.done, &pool.lock);
  pthread_mutex_unlock(&pool.lock);
  pthread_mutex_unlock(&pool.owner);
}
