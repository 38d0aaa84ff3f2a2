/*
 * The text of a .proto, made of its descriptor: comments too, if that has them.
 */
#ifndef CLIENTS_RPCCTL_PROTO_H
#define CLIENTS_RPCCTL_PROTO_H

#include "google/protobuf/descriptor.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define RPCCTL_PATH_MAX 512u

/* Where an element is in its file, as google.protobuf.SourceCodeInfo counts:
 * {4, 0, 2, 1} is field 1 of message 0. */
struct rpcctl_proto {
    FILE *out;
    const Google__Protobuf__FileDescriptorProto *file;
    int32_t path[RPCCTL_PATH_MAX];
    size_t n_path;
    unsigned indent;
};

void rpcctl_proto_init(struct rpcctl_proto *proto, FILE *out,
                       const Google__Protobuf__FileDescriptorProto *file);

/* Print the whole file. */
void rpcctl_proto_file(struct rpcctl_proto *proto);

/* Print the element whose name behind the package is that, as "Outer.Inner" or
 * "Service.Method"; false if there is none. */
bool rpcctl_proto_symbol(struct rpcctl_proto *proto, const char *name);

/* Between the files that print it. */
void rpcctl_proto_enter(struct rpcctl_proto *proto, int32_t number, size_t i);
void rpcctl_proto_leave(struct rpcctl_proto *proto);
void rpcctl_proto_comment(struct rpcctl_proto *proto);
void rpcctl_proto_indent(struct rpcctl_proto *proto);
/* A type's name, without the file's own package. */
const char *rpcctl_proto_type(const struct rpcctl_proto *proto,
                              const char *name);
/* A name that nobody has checked, "?" for one that can't be shown. */
const char *rpcctl_proto_word(const char *text);
void rpcctl_proto_message(struct rpcctl_proto *proto,
                          const Google__Protobuf__DescriptorProto *message);
void rpcctl_proto_enum(struct rpcctl_proto *proto,
                       const Google__Protobuf__EnumDescriptorProto *type);

#endif
