/*
 * The part of a request that protoc-gen-c answers: the messages.
 */
#ifndef CODEGEN_MESSAGES_H
#define CODEGEN_MESSAGES_H

#include "model.h"
#include "wire.h"

/**
 * Rewrite a request for protoc-gen-c, which knows no proto3 optional (it
 * becomes a oneof of one field, the same in every format), would make generic
 * code of services, and need not see options.
 *
 * request  changed; not the one that the model was built from
 * Returns  the serialized request.
 */
struct bytes
messages_request(const struct model *model,
                 Google__Protobuf__Compiler__CodeGeneratorRequest *request);

/** The descriptor that is compiled into x.rpc.c: without imports that bring
 * nothing but options; of comments those before and behind a declaration, if
 * they are wanted. */
struct bytes messages_descriptor(struct pool *pool, const struct file *file,
                                 bool with_comments);

#endif
