/*
 * rpcrt: remote procedure calls for plain C. This header has it all but
 * health.h and reflection.h, which are librpcrt-admin's, and gen.h, which is
 * for generated code; read status.h, channel.h, call.h and queue.h as a client,
 * ctx.h and server.h as a server, stream.h as both.
 *
 * Rules that hold everywhere:
 *   x_new() is undone by x_free(); x_free(NULL) does nothing.
 *   ret_* parameters are written only when RPCRT_OK is returned.
 *   Strings and options passed in are copied. Pointers handed out are borrowed.
 *   Durations are milliseconds unless the name says otherwise, sizes are bytes.
 *   The library never prints and never exits.
 */
#ifndef RPCRT_RPCRT_H
#define RPCRT_RPCRT_H

#include <rpcrt/alloc.h>
#include <rpcrt/auth.h>
#include <rpcrt/call.h>
#include <rpcrt/channel.h>
#include <rpcrt/ctx.h>
#include <rpcrt/details.h>
#include <rpcrt/interceptor.h>
#include <rpcrt/json.h>
#include <rpcrt/limits.h>
#include <rpcrt/logging.h>
#include <rpcrt/metrics.h>
#include <rpcrt/print.h>
#include <rpcrt/queue.h>
#include <rpcrt/retry.h>
#include <rpcrt/server.h>
#include <rpcrt/status.h>
#include <rpcrt/stream.h>
#include <rpcrt/tls.h>
#include <rpcrt/trace.h>
#include <rpcrt/types.h>

#endif
