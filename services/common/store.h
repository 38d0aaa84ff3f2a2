/*
 * What a service keeps in the key-value store: records (protobuf messages)
 * under text keys, read together and changed together, through generated stubs.
 *
 *   work = common_work_new(store, ctx, NULL)
 *   common_read(work, key, &type, &record) ...   then common_read_now(work)
 *   common_expect(work, &record) ...             what must still be so
 *   common_put(work, key, message) ...           then common_commit(work)
 *   common_work_free(work)
 *
 * A failure stays in the work: what follows does nothing and returns the same
 * code, so the code of common_read_now() or common_commit() is the only one to
 * look at. The exception is ABORTED, after which the work goes on anew.
 *
 * A change takes effect once. Every commit writes a record that it expects, so
 * that it can't be done again after it was done, and when its answer is lost it
 * is sent again unchanged until there is one: a read would prove nothing, for
 * the first may still be on its way. All values of one commit end with the same
 * random mark (a fixed64 field, number 15000, which no message has), and a
 * repeat that finds its expectations broken finds out by the mark whether that
 * was its own doing.
 */
#ifndef SERVICES_COMMON_STORE_H
#define SERVICES_COMMON_STORE_H

#include "common/error.h"

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/rpcrt.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one read, or of one commit: the limits of kv.proto's Txn. */
#define COMMON_OPERATIONS_MAX 128u

/* -- the way to the store -------------------------------------------------- */

struct common_store_options {
    const char *address;
    const struct rpcrt_tls *tls; /* for tls+tcp:// */
    const char *token_file;      /* its first line; NULL: no token */
    uint32_t try_ms;             /* one request waits so long; 0: 2000 */
    uint32_t patience_ms; /* a read or commit is tried again for so long; 0:
                             10000 */
};

struct common_store;

/* Returns OK, or INVALID_ARGUMENT or FAILED_PRECONDITION with a text that names
 * address or file. It connects when it is used. Any thread may use it. */
RPCRT_MUST_CHECK enum rpcrt_code
common_store_open(const struct common_store_options *options,
                  struct common_error *ret_error,
                  struct common_store **ret_store);

/* All work must be freed before. NULL does nothing. */
void common_store_close(struct common_store *store);

/* End what waits or is tried again, now and later, with CANCELLED: for the end
 * of the program. Waits until no request is under way. Any thread. */
void common_store_stop(struct common_store *store);

/* Requests that were sent, and those of them that changed something. */
struct common_store_stats {
    uint64_t requests;
    uint64_t changes;
    uint64_t repeats; /* of a change without an answer */
};
void common_store_get_stats(const struct common_store *store,
                            struct common_store_stats *ret_stats);

/* -- work ------------------------------------------------------------------ */

struct common_work;

/**
 * Begin a piece of work; one thread at a time.
 *
 * ctx      the call that it is done for: its deadline, cancellation and call id
 *          apply, and memory is taken from it, so that what was read can stand
 *          in the reply. NULL: none, and memory ends with the work.
 * call_id  for logs, where ctx is NULL; may be NULL
 * Returns  NULL without memory.
 */
struct common_work *common_work_new(struct common_store *store,
                                    struct rpcrt_ctx *ctx, const char *call_id);
void common_work_free(struct common_work *work);

/* What went wrong; OK and "" before. Any work may fail with:
 *   UNAVAILABLE          no answer for as long as there was patience, or
 *                        another store than before answers
 *   DEADLINE_EXCEEDED    the deadline of the call that it is done for
 *   CANCELLED            that call, or the program, is over
 *   RESOURCE_EXHAUSTED   no memory, or a full store: nothing was changed
 *   DATA_LOSS            a record can't be read; the text names its key
 *   INTERNAL             a wrong use of these functions, or a store that does
 *                        not accept this program's token
 */
enum rpcrt_code common_work_code(const struct common_work *work);
const char *common_work_message(const struct common_work *work);

/* Hand a failure of the work to the caller of ctx; returns its code. */
enum rpcrt_code common_work_fail(const struct common_work *work,
                                 struct rpcrt_ctx *ctx);

/* Zeroed memory, as long-lived as what is read; NULL (and the work has failed)
 * without. */
void *common_work_alloc(struct common_work *work, size_t size);
char *common_work_format(struct common_work *work, const char *format, ...)
    RPCRT_PRINTF(2, 3);

/* -- reading --------------------------------------------------------------- */

/* What stands under a key. */
struct common_record {
    const char *key;
    const ProtobufCMessage *message; /* NULL: nothing */
    uint64_t revision; /* that wrote it last; 0: nothing stands there */
};

/**
 * Read a key with the next common_read_now().
 *
 * key         copied; NULL, as from common_work_format() without memory: the
 *             work fails
 * type        DATA_LOSS if the value is no such message
 * ret_record  nothing at first, filled by common_read_now(); must live until
 *             then
 */
void common_read(struct common_work *work, const char *key,
                 const ProtobufCMessageDescriptor *type,
                 struct common_record *ret_record);

/* Read all at one revision, in one round trip. */
RPCRT_MUST_CHECK enum rpcrt_code common_read_now(struct common_work *work);

/* Keys in their order. */
struct common_span {
    const char *first; /* the first key, or a prefix */
    const char *end;   /* behind the last; NULL: all that begin with first */
    const char *after; /* go on behind this key (before it, if in reverse) */
    bool reverse;
    bool keys_only;    /* messages stay NULL */
    uint32_t limit;    /* 1 to 1000 */
    uint64_t revision; /* of an earlier page; 0: now */
};

struct common_page {
    struct common_record *records;
    size_t n_records;
    bool more;
    uint64_t revision; /* at which it was read */
};

/* Read a page. OUT_OF_RANGE if that revision is gone. */
RPCRT_MUST_CHECK enum rpcrt_code
common_scan(struct common_work *work, const struct common_span *span,
            const ProtobufCMessageDescriptor *type,
            struct common_page *ret_page);

/* Name of the store that was read, for what outlives the work (page tokens);
 * "" before the first answer. And refuse every other: OUT_OF_RANGE. */
const char *common_work_store_id(const struct common_work *work);
void common_work_expect_store(struct common_work *work, const char *store_id);

/* -- changing -------------------------------------------------------------- */

/* The commit does nothing unless this record is still as it was read: the same
 * revision, or still nothing. */
void common_expect(struct common_work *work,
                   const struct common_record *record);
/* The same for a key that was not read: nothing stands there. */
void common_expect_nothing(struct common_work *work, const char *key);

/* Both are copied at once. A repeat looks for the mark in what was put first:
 * put first what others overwrite or delete last, best a record that stays,
 * such as that of an idempotency key. NULL as message: a key without a value.
 */
void common_put(struct common_work *work, const char *key,
                const ProtobufCMessage *message);
void common_delete(struct common_work *work, const char *key);

/**
 * Do all puts and deletes, if all that is expected is so. One that puts must
 * put or delete a record that it expects.
 *
 * Returns  OK; ABORTED if something was not as expected: read again, and decide
 *          anew, with the same work. Nothing was changed, but for two cases in
 *          which what is read shows it: answers were lost and what was put
 *          first was overwritten meanwhile, or nothing was put. UNAVAILABLE,
 *          DEADLINE_EXCEEDED or CANCELLED when there was no answer in time: it
 *          may have been done, or may be done later, or never.
 */
RPCRT_MUST_CHECK enum rpcrt_code common_commit(struct common_work *work);

/* The revision of the last commit that was OK: all that it put has it. */
uint64_t common_work_revision(const struct common_work *work);

#endif
