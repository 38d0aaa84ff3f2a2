/*
 * Runs a program that reads its input and writes its output, like a plugin of
 * protoc.
 */
#ifndef CODEGEN_PROCESS_H
#define CODEGEN_PROCESS_H

#include "memory.h"
#include "wire.h"

/** Read a descriptor to its end. NULL, or what went wrong. */
const char *process_read(struct pool *pool, int fd, struct bytes *ret_bytes);

/**
 * Run a program without arguments; its errors go where ours go. SIGPIPE must be
 * ignored.
 *
 * program  a path, or a name that is looked up on PATH
 * Returns  NULL, or what went wrong, beginning with the program's name.
 */
const char *process_run(struct pool *pool, const char *program,
                        struct bytes input, struct bytes *ret_output);

#endif
