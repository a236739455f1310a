#ifndef HIRENOW_TESTS_C_FAILING_MALLOC_H
#define HIRENOW_TESTS_C_FAILING_MALLOC_H
/* The allocator of the C library, with a fault in it: put in front of malloc(), it fails the n-th allocation that the
 * calling thread makes, inside SQLite and OpenSSL too. Included by one file of a program. */

#include <errno.h>
#include <stdlib.h>

/* ---- The allocator of the C library, with a fault in it ---------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static __thread long until_failure; /* 0: not armed */
static __thread int failed;
static long live;

static int fails(void) {
  if (until_failure == 0 || --until_failure > 0) return 0;
  failed = 1;
  return 1;
}
static void *counted(void *p) {
  if (p) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
  return p;
}
void *malloc(size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_malloc(size));
}
void *calloc(size_t count, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_calloc(count, size));
}
void *realloc(void *old, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  void *p = __libc_realloc(old, size);
  return old ? p : counted(p);
}
void *aligned_alloc(size_t alignment, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void **out, size_t alignment, size_t size) {
  if (fails()) return ENOMEM;
  *out = counted(__libc_memalign(alignment, size));
  return *out ? 0 : ENOMEM;
}
void free(void *p) {
  if (p) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
  __libc_free(p);
}

#endif
