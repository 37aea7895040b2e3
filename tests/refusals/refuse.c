// A system that has nothing left: put before the others by LD_PRELOAD, it refuses memory to albert_fast's core, or
// threads to everybody, once a test asks for it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static volatile size_t least_refused;  // bytes; 0: none
static volatile int refuses_threads;

void refuse_memory(size_t bytes) { least_refused = bytes; }
void refuse_threads(int refuse) { refuses_threads = refuse; }

int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  static int (*real)(void**, size_t, size_t);
  if (real == NULL) real = (int (*)(void**, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
  Dl_info caller;
  if (least_refused != 0 && bytes >= least_refused && dladdr(__builtin_return_address(0), &caller) != 0 &&
      caller.dli_fname != NULL && strstr(caller.dli_fname, "_core.") != NULL) {
    return ENOMEM;
  }
  return real(memory, alignment, bytes);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (real == NULL) {
    real = (int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*))dlsym(RTLD_NEXT, "pthread_create");
  }
  return refuses_threads ? EAGAIN : real(thread, attributes, start, argument);
}
