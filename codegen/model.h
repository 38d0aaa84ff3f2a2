/*
 * What a request asks for, as flat lists with C names: nothing behind this
 * needs the descriptors, and nothing of it is judged here (see check.h). A
 * model may be nonsense, since a request may be.
 */
#ifndef CODEGEN_MODEL_H
#define CODEGEN_MODEL_H

#include "problems.h"

#include <google/protobuf/compiler/plugin.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

struct enumeration {
    struct element element;
    const char *c_type;  /* Kv__V1__Kind */
    const char *c_lower; /* kv__v1__kind */
    const char *c_upper; /* KV__V1__KIND */
    struct element *values;
    const char **value_names; /* as in the .proto */
    size_t n_values;
};

struct oneof {
    struct element element;
    const char *c_name;  /* member, without "_case" */
    const char *c_type;  /* Kv__V1__Message__Choice, without "Case" */
    const char *c_upper; /* KV__V1__MESSAGE__CHOICE */
};

struct field {
    struct element element;
    const char *name;   /* in the .proto */
    const char *c_name; /* member of the struct */
    const Google__Protobuf__FieldDescriptorProto *proto;
    const struct oneof *oneof;           /* NULL outside of one */
    const struct message *message_type;  /* NULL if not a message */
    const struct enumeration *enum_type; /* NULL if not an enum */
    bool is_binary;                      /* ProtobufCBinaryData in C */
    bool sensitive;
};

struct message {
    struct element element;
    const struct file *file;
    const char *c_type;  /* Kv__V1__PutReply */
    const char *c_lower; /* kv__v1__put_reply */
    const char *c_upper; /* KV__V1__PUT_REPLY */
    const char *base;    /* the first member of the struct */
    struct field *fields;
    size_t n_fields;
    struct oneof *oneofs;
    size_t n_oneofs;
};

struct method {
    struct element element;
    const char *name;         /* Put */
    const char *snake;        /* put */
    const char *member;       /* put, in the struct of handlers */
    const char *function;     /* kv_put */
    const char *index;        /* KV_METHOD_PUT */
    const char *path;         /* /kv.v1.Kv/Put */
    const char *comment;      /* "" without */
    const char *request_name; /* as in the request of protoc: .kv.v1.Put… */
    const char *reply_name;
    const struct message *request; /* NULL if not to be found */
    const struct message *reply;
    bool client_streaming;
    bool server_streaming;
    bool nonblocking;
    bool no_side_effects;
    bool idempotent;
    bool once;
    const struct retry *retry; /* NULL without */
};

struct service {
    struct element element;
    const char *prefix;       /* kv */
    const char *prefix_upper; /* KV */
    bool prefix_given;        /* by the option c_prefix */
    const char *comment;      /* "" without */
    struct method *methods;
    size_t n_methods;
};

struct import {
    struct file *file; /* NULL if not in the request */
    bool is_public;
    bool is_dropped; /* needed for options only: generated code is without */
};

struct file {
    struct element element;
    const char *name;   /* kv/v1/kv.proto */
    const char *stem;   /* kv/v1/kv */
    const char *c_name; /* kv_v1_kv */
    const char *package;
    const char *syntax;
    const char *comment; /* the one before "syntax"; "" without */
    const Google__Protobuf__FileDescriptorProto *proto;
    size_t index;
    bool wanted;      /* to be generated */
    bool no_generate; /* without messages, by protobuf-c's option */
    bool const_strings;
    bool use_oneof_field_name;
    bool extends_options;
    struct import *imports;
    size_t n_imports;
    struct message *messages; /* nested ones too, inner before outer */
    size_t n_messages;
    struct enumeration *enums;
    size_t n_enums;
    struct service *services;
    size_t n_services;
};

struct model {
    struct pool *pool;
    struct file *files; /* as protoc sorted them: imports first */
    size_t n_files;
};

/** Read a request; it must stay as long as the model. */
void
model_build(struct model *model, struct pool *pool,
            const Google__Protobuf__Compiler__CodeGeneratorRequest *request);

/** Whether one side or both send any number of messages. */
bool model_is_stream(const struct method *method);

/** Whether a name is that of protobuf's messages of options. */
bool model_is_options_type(const char *type_name);

#endif
