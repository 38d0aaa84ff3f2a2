/*
 * The handlers of Kv: see service.h. A handler makes a job in the call's
 * memory and gives it to the engine, which does it at once or later; the same
 * function then makes the reply.
 */
#include "kv/service.h"
#include "common/tokens.h"
#include "kv/message.h"
#include "kv/v1/kv.server.h"

#include <rpcrt/api.h>

/* A call that reads. */
struct reading {
    struct rpcrt_ctx *ctx;
    void *reply;
    enum rpcrt_code (*answer)(struct reading *job);
    struct kvs_read read;
};

/* A call that writes. */
struct writing {
    struct rpcrt_ctx *ctx;
    void *reply;
    enum rpcrt_code (*answer)(struct writing *job);
    struct kvs_write write;
    struct kvs_op op; /* of a write that has one */
    struct kvs_compare compare;
    char key[KVS_ID_DIGITS + 1]; /* that Store has made */
};

/* -- who calls ------------------------------------------------------------- */

static enum rpcrt_code
token_check(void *arg, struct rpcrt_ctx *ctx, const char *token, size_t size,
            const void **ret_access)
{
    const struct kvs_service *service = arg;
    const struct kvs_slice slice = {(const uint8_t *)token, size};
    const struct kvs_access *access = kvs_tokens_find(service->tokens, slice);

    if (access == NULL) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED,
                              "the token is unknown or has expired");
    }
    *ret_access = access;
    return RPCRT_OK;
}

/* Let in who has a token, before any handler. */
static enum rpcrt_code
tokens_ask(struct rpcrt_server *server, struct kvs_service *service)
{
    struct rpcrt_server_interceptor ask = rpcrt_auth_server(&service->auth);

    service->auth = (struct rpcrt_auth){
        .fn = token_check, .arg = service, .open = common_open_methods};
    return service->tokens == NULL ? RPCRT_OK
                                   : rpcrt_server_add_interceptor(server, &ask);
}

static enum rpcrt_code
access_get(const struct kvs_service *service, struct rpcrt_ctx *ctx,
           bool changes, const struct kvs_access **ret_access)
{
    static const struct kvs_access everybody = {KVS_SPACE_DEFAULT, false};
    const struct kvs_access *access =
        service->tokens == NULL ? &everybody : rpcrt_ctx_identity(ctx);

    if (changes && access->read_only) {
        return rpcrt_ctx_fail(ctx, RPCRT_PERMISSION_DENIED,
                              "the token may only read");
    }
    *ret_access = access;
    return RPCRT_OK;
}

/* -- jobs ------------------------------------------------------------------ */

static void
read_done(struct kvs_read *read)
{
    struct reading *job = read->arg;

    rpcrt_ctx_finish(job->ctx, job->answer(job));
}

static void
write_done(struct kvs_write *write)
{
    struct writing *job = write->arg;

    rpcrt_ctx_finish(job->ctx, job->answer(job));
}

/* Check who calls, and begin to read in its namespace. */
static enum rpcrt_code
read_begin(const struct kvs_service *service, struct rpcrt_ctx *ctx,
           void *reply, enum rpcrt_code (*answer)(struct reading *job),
           struct reading **ret_job)
{
    const struct kvs_access *access = NULL;
    enum rpcrt_code code = access_get(service, ctx, false, &access);
    struct reading *job;

    if (code != RPCRT_OK) {
        return code;
    }
    job = rpcrt_ctx_alloc(ctx, sizeof(*job));
    if (job == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    job->ctx = ctx;
    job->reply = reply;
    job->answer = answer;
    job->read.space = kvs_slice_text(access->space);
    job->read.memory = kvs_message_memory(ctx);
    job->read.done = read_done;
    job->read.arg = job;
    *ret_job = job;
    return RPCRT_OK;
}

static enum rpcrt_code
read_do(const struct kvs_service *service, struct reading *job)
{
    return kvs_engine_read(service->engine, &job->read) ? job->answer(job)
                                                        : RPCRT_LATER;
}

/* The same for writing; without `changes` a token that may only read will
 * do. */
static enum rpcrt_code
write_begin(const struct kvs_service *service, struct rpcrt_ctx *ctx,
            bool changes, void *reply,
            enum rpcrt_code (*answer)(struct writing *job),
            struct writing **ret_job)
{
    const struct kvs_access *access = NULL;
    enum rpcrt_code code = access_get(service, ctx, changes, &access);
    struct writing *job;

    if (code != RPCRT_OK) {
        return code;
    }
    job = rpcrt_ctx_alloc(ctx, sizeof(*job));
    if (job == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    job->ctx = ctx;
    job->reply = reply;
    job->answer = answer;
    job->write.space = kvs_slice_text(access->space);
    job->write.memory = kvs_message_memory(ctx);
    job->write.done = write_done;
    job->write.arg = job;
    *ret_job = job;
    return RPCRT_OK;
}

static enum rpcrt_code
write_do(const struct kvs_service *service, struct writing *job)
{
    return kvs_engine_write(service->engine, &job->write) ? job->answer(job)
                                                          : RPCRT_LATER;
}

/* Make the write of a job one operation. */
static void
write_set_op(struct writing *job, enum kvs_op_kind kind)
{
    job->op.kind = kind;
    job->write.then = (struct kvs_ops){&job->op, 1};
}

/* The header of a reply, or the failure of the job. */
static enum rpcrt_code
header_make(struct rpcrt_ctx *ctx, const struct common_error *error,
            const struct kvs_header *header, Kv__V1__Header **ret_header)
{
    if (error->code != RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, error->code, "%s", error->text);
    }
    *ret_header = kvs_message_header(ctx, header);
    return *ret_header == NULL ? rpcrt_ctx_no_memory(ctx) : RPCRT_OK;
}

static enum rpcrt_code
read_header(const struct reading *job, Kv__V1__Header **ret_header)
{
    return header_make(job->ctx, &job->read.error, &job->read.header,
                       ret_header);
}

static enum rpcrt_code
write_header(const struct writing *job, Kv__V1__Header **ret_header)
{
    return header_make(job->ctx, &job->write.error, &job->write.header,
                       ret_header);
}

/* -- stored values --------------------------------------------------------- */

static enum rpcrt_code
answer_store(struct writing *job)
{
    Kv__V1__StoreReply *reply = job->reply;
    enum rpcrt_code code = write_header(job, &reply->header);

    if (code != RPCRT_OK) {
        return code;
    }
    if (!job->write.succeeded) {
        return rpcrt_ctx_fail(job->ctx, RPCRT_ABORTED,
                              "the random key is taken: repeat the call");
    }
    reply->key = job->key;
    return RPCRT_OK;
}

static enum rpcrt_code
store(void *self, struct rpcrt_ctx *ctx, const Kv__V1__StoreRequest *request,
      Kv__V1__StoreReply *reply)
{
    struct writing *job;
    enum rpcrt_code code =
        write_begin(self, ctx, true, reply, answer_store, &job);

    if (code != RPCRT_OK) {
        return code;
    }
    kvs_id_make(job->key);
    job->write.space.size = 0;
    job->compare = (struct kvs_compare){.key = kvs_slice_text(job->key),
                                        .target = KVS_TARGET_VERSION};
    job->write.compares = &job->compare;
    job->write.n_compares = 1;
    write_set_op(job, KVS_OP_PUT);
    job->op.key = job->compare.key;
    job->op.value = (struct kvs_slice){request->value.data, request->value.len};
    return write_do(self, job);
}

static enum rpcrt_code
answer_load(struct reading *job)
{
    Kv__V1__LoadReply *reply = job->reply;
    Kv__V1__RangeReply page = KV__V1__RANGE_REPLY__INIT;
    enum rpcrt_code code = read_header(job, &reply->header);

    if (code != RPCRT_OK) {
        return code;
    }
    if (job->read.result.n_entries == 0) {
        return rpcrt_ctx_fail(job->ctx, RPCRT_NOT_FOUND,
                              "nothing is stored under this key");
    }
    if (!kvs_message_entries(job->ctx, &job->read.result, &page)) {
        return rpcrt_ctx_no_memory(job->ctx);
    }
    reply->value = page.entries[0]->value;
    return RPCRT_OK;
}

static enum rpcrt_code
load(void *self, struct rpcrt_ctx *ctx, const Kv__V1__LoadRequest *request,
     Kv__V1__LoadReply *reply)
{
    struct reading *job;
    enum rpcrt_code code = read_begin(self, ctx, reply, answer_load, &job);

    if (code != RPCRT_OK) {
        return code;
    }
    if (strlen(request->key) != KVS_ID_DIGITS ||
        strspn(request->key, "0123456789abcdef") != KVS_ID_DIGITS) {
        return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT,
                              "the key is not %u lower-case hexadecimal digits",
                              KVS_ID_DIGITS);
    }
    job->read.space.size = 0;
    job->read.range.span.first = kvs_slice_text(request->key);
    return read_do(self, job);
}

/* -- keys of a namespace --------------------------------------------------- */

static enum rpcrt_code
answer_put(struct writing *job)
{
    Kv__V1__PutReply *reply = job->reply;

    return write_header(job, &reply->header);
}

static enum rpcrt_code
put(void *self, struct rpcrt_ctx *ctx, const Kv__V1__PutRequest *request,
    Kv__V1__PutReply *reply)
{
    struct writing *job;
    enum rpcrt_code code =
        write_begin(self, ctx, true, reply, answer_put, &job);

    if (code != RPCRT_OK) {
        return code;
    }
    write_set_op(job, KVS_OP_PUT);
    job->op.key = (struct kvs_slice){request->key.data, request->key.len};
    job->op.value = (struct kvs_slice){request->value.data, request->value.len};
    return write_do(self, job);
}

static enum rpcrt_code
answer_range(struct reading *job)
{
    Kv__V1__RangeReply *reply = job->reply;
    enum rpcrt_code code = read_header(job, &reply->header);

    if (code == RPCRT_OK &&
        !kvs_message_entries(job->ctx, &job->read.result, reply)) {
        code = rpcrt_ctx_no_memory(job->ctx);
    }
    return code;
}

static enum rpcrt_code
range(void *self, struct rpcrt_ctx *ctx, const Kv__V1__RangeRequest *request,
      Kv__V1__RangeReply *reply)
{
    struct reading *job;
    enum rpcrt_code code = read_begin(self, ctx, reply, answer_range, &job);

    if (code != RPCRT_OK) {
        return code;
    }
    kvs_message_range(request, &job->read.range);
    return read_do(self, job);
}

static enum rpcrt_code
answer_delete_range(struct writing *job)
{
    Kv__V1__DeleteRangeReply *reply = job->reply;
    enum rpcrt_code code = write_header(job, &reply->header);

    if (code == RPCRT_OK) {
        reply->deleted = job->write.results[0].deleted;
    }
    return code;
}

static enum rpcrt_code
delete_range(void *self, struct rpcrt_ctx *ctx,
             const Kv__V1__DeleteRangeRequest *request,
             Kv__V1__DeleteRangeReply *reply)
{
    struct writing *job;
    enum rpcrt_code code =
        write_begin(self, ctx, true, reply, answer_delete_range, &job);

    if (code != RPCRT_OK) {
        return code;
    }
    write_set_op(job, KVS_OP_DELETE);
    kvs_message_span(&request->key, &request->end, &job->op.range.span);
    return write_do(self, job);
}

static enum rpcrt_code
answer_txn(struct writing *job)
{
    Kv__V1__TxnReply *reply = job->reply;
    enum rpcrt_code code = write_header(job, &reply->header);

    if (code == RPCRT_OK &&
        !kvs_message_results(job->ctx, &job->write, reply)) {
        code = rpcrt_ctx_no_memory(job->ctx);
    }
    return code;
}

/* Whether a transaction can change anything. */
static bool
txn_changes(const Kv__V1__TxnRequest *request)
{
    size_t i;

    for (i = 0; i < request->n_then; i++) {
        if (request->then[i]->kind_case != KV__V1__OPERATION__KIND_RANGE) {
            return true;
        }
    }
    for (i = 0; i < request->n_otherwise; i++) {
        if (request->otherwise[i]->kind_case != KV__V1__OPERATION__KIND_RANGE) {
            return true;
        }
    }
    return false;
}

static enum rpcrt_code
txn(void *self, struct rpcrt_ctx *ctx, const Kv__V1__TxnRequest *request,
    Kv__V1__TxnReply *reply)
{
    struct writing *job;
    enum rpcrt_code code =
        write_begin(self, ctx, txn_changes(request), reply, answer_txn, &job);

    if (code == RPCRT_OK) {
        code = kvs_message_txn(ctx, request, &job->write);
    }
    return code == RPCRT_OK ? write_do(self, job) : code;
}

/* -- the state ------------------------------------------------------------- */

static enum rpcrt_code
status(void *self, struct rpcrt_ctx *ctx, const Kv__V1__StatusRequest *request,
       Kv__V1__StatusReply *reply)
{
    const struct kvs_service *service = self;
    const struct kvs_access *access = NULL;
    struct kvs_status state;
    struct common_error error;
    enum rpcrt_code code = access_get(service, ctx, false, &access);
    const char *engine = service->engine->ops->name;
    const char *version = rpcrt_version();

    (void)request;
    if (code != RPCRT_OK) {
        return code;
    }
    if (kvs_engine_status(service->engine, &error, &state) != RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, error.code, "%s", error.text);
    }
    reply->header = kvs_message_header(ctx, &state.header);
    reply->engine = rpcrt_ctx_copy(ctx, engine, strlen(engine));
    reply->version = rpcrt_ctx_copy(ctx, version, strlen(version));
    reply->stopped = rpcrt_ctx_copy(ctx, state.stopped, strlen(state.stopped));
    if (reply->header == NULL || reply->engine == NULL ||
        reply->version == NULL || reply->stopped == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    reply->oldest_revision = state.oldest_revision;
    reply->history = state.history;
    reply->size = state.size;
    reply->size_max = state.size_max;
    reply->full = state.full;
    return RPCRT_OK;
}

static const struct kv_service handlers = {
    .store = store,
    .load = load,
    .put = put,
    .range = range,
    .delete_range = delete_range,
    .txn = txn,
    .status = status,
};

enum rpcrt_code
kvs_service_serve(struct rpcrt_server *server, struct kvs_service *service)
{
    /* Changes are only queued by an engine that waits for its disk; a Txn may
     * do nothing but read from it. */
    static const enum kv_method queued[] = {KV_METHOD_STORE, KV_METHOD_PUT,
                                            KV_METHOD_DELETE_RANGE};
    static const enum kv_method immediate[] = {KV_METHOD_LOAD, KV_METHOD_RANGE,
                                               KV_METHOD_TXN, KV_METHOD_STATUS};
    enum rpcrt_code code = kv_serve(server, &handlers, service);
    size_t i;

    code = code == RPCRT_OK ? tokens_ask(server, service) : code;
    for (i = 0; code == RPCRT_OK && i < sizeof(queued) / sizeof(queued[0]);
         i++) {
        code = rpcrt_server_set_blocking(server, kv_rpc.methods[queued[i]].path,
                                         false);
    }
    for (i = 0; code == RPCRT_OK && service->engine->ops->immediate &&
                i < sizeof(immediate) / sizeof(immediate[0]);
         i++) {
        code = rpcrt_server_set_blocking(
            server, kv_rpc.methods[immediate[i]].path, false);
    }
    return code;
}
