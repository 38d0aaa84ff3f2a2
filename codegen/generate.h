/*
 * From the bytes that protoc sends to the files that it gets back, all but
 * those that protoc-gen-c writes. No I/O.
 */
#ifndef CODEGEN_GENERATE_H
#define CODEGEN_GENERATE_H

#include "output.h"

/**
 * Read a request and generate.
 *
 * Returns  false if the request can't be decoded: it is not protoc's, and there
 *          is nothing to answer.
 */
bool generate(struct pool *pool, struct bytes request,
              struct output *ret_output);

#endif
