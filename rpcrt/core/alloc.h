/*
 * The one door to the heap: every allocation of the runtime goes through here,
 * so that a test can make each of them fail in turn (rpcrt/alloc.h).
 */
#ifndef RPCRT_CORE_ALLOC_H
#define RPCRT_CORE_ALLOC_H

#include <rpcrt/alloc.h>
#include <stddef.h>

/* Memory as it comes; NULL when there is none. */
void *rpcrt__alloc(size_t size);

/* Zeroed memory for n things of a size; NULL when there is none, or when the
 * product overflows. */
void *rpcrt__calloc(size_t n, size_t size);

/* A copy of a string; NULL when there is no memory. */
char *rpcrt__strdup(const char *text);

void rpcrt__free(void *block);

#endif
