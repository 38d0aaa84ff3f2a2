/*
 * Writes the generated files of one .proto; it has passed check.h.
 */
#ifndef CODEGEN_EMIT_H
#define CODEGEN_EMIT_H

#include "model.h"
#include "text.h"
#include "wire.h"

/** The tables: x.rpc.h and x.rpc.c. */
void emit_rpc_header(struct text *text, const struct file *file);
void emit_rpc_source(struct text *text, const struct file *file,
                     struct bytes descriptor);

/** Access to proto3 optional fields, for x.rpc.h. */
void emit_optionals(struct text *text, const struct file *file);

/** The functions that call: x.client.h and x.client.c. */
void emit_client_header(struct text *text, const struct file *file);
void emit_client_source(struct text *text, const struct file *file);

/** The functions that serve: x.server.h and x.server.c. */
void emit_server_header(struct text *text, const struct file *file);
void emit_server_source(struct text *text, const struct file *file);

/** The functions of a method with streams, for the client's files, and of all
 * such methods of a service, for the server's: declarations or definitions. */
void emit_stream_client(struct text *text, bool is_declared,
                        const struct service *service,
                        const struct method *method);
void emit_stream_server(struct text *text, bool is_declared,
                        const struct service *service);

/* -- shared by these ------------------------------------------------------- */

/** The first lines of a file: what it was made from, and its purpose. */
void emit_banner(struct text *text, const struct file *file,
                 const char *purpose);

/** What the .proto says of itself, if anything. */
void emit_file_comment(struct text *text, const struct file *file);

/** Include guard, includes, version check; kind is "rpc", "client", "server";
 * includes are whole lines. */
void emit_header_begin(struct text *text, const struct file *file,
                       const char *kind, const char *includes);
void emit_header_end(struct text *text);

/** A definition or declaration: return type on its own line, name, parameters,
 * end. */
void emit_function(struct text *text, const char *type, const char *name,
                   const char *const *parameters, const char *end);

/** Whether any service of the file has a method without streams, and with. */
bool emit_has_unary(const struct file *file);
bool emit_has_streams(const struct file *file);

#endif
