/*
 * Marks that public declarations carry: visibility, checked results, and the
 * version of the headers. Every public header includes this one first.
 */
#ifndef RPCRT_API_H
#define RPCRT_API_H

#define RPCRT_VERSION_MAJOR 0
#define RPCRT_VERSION_MINOR 1
#define RPCRT_VERSION_PATCH 0
#define RPCRT_VERSION_TEXT "0.1.0"

/* Generated code states which table layout it was written for. */
#define RPCRT_GEN_VERSION 3

#if defined(__GNUC__)
#define RPCRT_API __attribute__((visibility("default")))
#define RPCRT_MUST_CHECK __attribute__((warn_unused_result))
#define RPCRT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define RPCRT_API
#define RPCRT_MUST_CHECK
#define RPCRT_PRINTF(text, first)
#endif

#ifdef __cplusplus
#define RPCRT_BEGIN_DECLS extern "C" {
#define RPCRT_END_DECLS }
#else
#define RPCRT_BEGIN_DECLS
#define RPCRT_END_DECLS
#endif

RPCRT_BEGIN_DECLS

/** The version of the library that runs, as text: "0.1.0". */
RPCRT_API const char *rpcrt_version(void);

RPCRT_END_DECLS

#endif
