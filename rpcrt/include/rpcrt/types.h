/*
 * Message types made at run time, from descriptors: the serialized
 * google.protobuf.FileDescriptorProto of each .proto, as protoc writes them and
 * servers hand them out by reflection. What is made has the same form as what
 * generated code has, so that calls, JSON and protobuf-c take it as it is.
 *
 *   struct rpcrt_types *types;
 *   const struct rpcrt_method *method;
 *   const struct rpcrt_file *file;
 *
 *   rpcrt_types_new(&types);
 *   rpcrt_types_add_set(types, bytes, size);   (protoc --descriptor_set_out)
 *   rpcrt_types_link(types);
 *   method = rpcrt_types_method(types, "kv.v1.Kv", "Put", &file);
 *   rpcrt_json_parse(text, size, method->request, file, NULL, &request,
 *                    &error);
 *   rpcrt_call_unary(call, method, request, &reply);
 *
 * Calls are made with the functions of gen.h, which generated code uses too.
 * Methods have no retry policy, whatever their .proto says.
 *
 * Descriptors may come from anybody. proto2 and proto3, but no groups, no
 * extensions (they stay unknown fields) and no editions.
 */
#ifndef RPCRT_TYPES_H
#define RPCRT_TYPES_H

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/limits.h>
#include <rpcrt/status.h>
#include <stddef.h>

RPCRT_BEGIN_DECLS

struct rpcrt_types;
struct rpcrt_file; /* these three are in gen.h */
struct rpcrt_service;
struct rpcrt_method;

/**
 * Begin without types: add files, link, then ask.
 *
 * Returns  OK, or RESOURCE_EXHAUSTED without memory.
 * Owner    the caller.
 * Threads  one at a time until it is linked; then any number.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_types_new(struct rpcrt_types **ret_types);

/** Free everything that came from it: descriptors, files, services, names. NULL
 * does nothing. */
RPCRT_API void rpcrt_types_free(struct rpcrt_types *types);

/**
 * Add one file, copied; those that it imports may come later. The same file
 * again does nothing.
 *
 * descriptor  a serialized google.protobuf.FileDescriptorProto
 * Returns     OK; INVALID_ARGUMENT if it is malformed; ALREADY_EXISTS for
 *             another file of the same name; UNIMPLEMENTED for an edition;
 *             RESOURCE_EXHAUSTED above RPCRT_TYPES_SIZE_MAX or without memory;
 *             FAILED_PRECONDITION once it is linked. rpcrt_last_error() has the
 *             text, which names the file.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_types_add(struct rpcrt_types *types, const void *descriptor, size_t size);

/** Add all files of a serialized google.protobuf.FileDescriptorSet; as above.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_types_add_set(struct rpcrt_types *types, const void *set, size_t size);

/** The name of the next file that is imported but was not added, for who
 * fetches them; NULL if there are no more. Each import is told once. A file of
 * which nothing is used but options need not be added. */
RPCRT_API const char *rpcrt_types_missing(struct rpcrt_types *types);

/**
 * Make the types of all files.
 *
 * Returns  OK; INVALID_ARGUMENT for what makes no sense; NOT_FOUND for a type
 *          that no file has; ALREADY_EXISTS for a name that two have;
 *          UNIMPLEMENTED for a group; RESOURCE_EXHAUSTED as above.
 *          rpcrt_last_error() has the text, which names file and symbol. After
 *          a failure it can only be freed.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_types_link(struct rpcrt_types *types);

/* -- once it is linked; what is found lives as long as the types ----------- */

/** By full name: "kv.v1.PutRequest". NULL if there is none. */
RPCRT_API const ProtobufCMessageDescriptor *
rpcrt_types_message(const struct rpcrt_types *types, const char *name);
RPCRT_API const ProtobufCEnumDescriptor *
rpcrt_types_enum(const struct rpcrt_types *types, const char *name);
RPCRT_API const struct rpcrt_service *
rpcrt_types_service(const struct rpcrt_types *types, const char *name);

/** A method of a service, and the file for the JSON of its messages; NULL if
 * there is none. */
RPCRT_API const struct rpcrt_method *
rpcrt_types_method(const struct rpcrt_types *types, const char *service,
                   const char *method, const struct rpcrt_file **ret_file);

/** A file by its name, "kv/v1/kv.proto". JSON with it knows the types of all
 * other files too. NULL if there is none. */
RPCRT_API const struct rpcrt_file *
rpcrt_types_file(const struct rpcrt_types *types, const char *name);

/** The file that has a message, an enum or a service; NULL if none has. */
RPCRT_API const struct rpcrt_file *
rpcrt_types_file_of(const struct rpcrt_types *types, const char *symbol);

/** All services, by name; and all files, in the order in which they were added.
 * NULL behind the last one. */
RPCRT_API const struct rpcrt_service *
rpcrt_types_service_at(const struct rpcrt_types *types, size_t i);
RPCRT_API const struct rpcrt_file *
rpcrt_types_file_at(const struct rpcrt_types *types, size_t i);

RPCRT_END_DECLS

#endif
