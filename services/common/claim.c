/*
 * One service a namespace: see claim.h.
 */
#include "common/claim.h"
#include "common/record.pb-c.h"

#include <string.h>

#define TRIES_MAX 10u

static enum rpcrt_code
work_failed(const struct common_work *work, struct common_error *ret_error)
{
    return common_error_set(ret_error, common_work_code(work),
                            "whose namespace of the key-value store it is: %s",
                            common_work_message(work));
}

/* One try; ABORTED: somebody else was faster. */
static enum rpcrt_code
claim_try(struct common_work *work, const char *service,
          struct common_error *ret_error)
{
    Common__Record__Service fresh = COMMON__RECORD__SERVICE__INIT;
    const Common__Record__Service *owner;
    struct common_record record;

    common_read(work, "service", &common__record__service__descriptor, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return work_failed(work, ret_error);
    }
    owner = (const Common__Record__Service *)record.message;
    if (owner != NULL && strcmp(owner->name, service) != 0) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the namespace of the key-value store is that "
                                "of the service '%.40s': '%.40s' needs one of "
                                "its own, by a token of its own",
                                owner->name, service);
    }
    if (owner != NULL) {
        return RPCRT_OK;
    }
    fresh.name = service;
    common_expect(work, &record);
    common_put(work, record.key, &fresh.base);
    return common_commit(work) == RPCRT_OK ? RPCRT_OK
                                           : work_failed(work, ret_error);
}

enum rpcrt_code
common_store_claim(struct common_store *store, const char *service,
                   struct common_error *ret_error)
{
    struct common_work *work = common_work_new(store, NULL, "claim");
    enum rpcrt_code code = RPCRT_ABORTED;
    unsigned i;

    if (work == NULL) {
        return common_error_no_memory(ret_error);
    }
    for (i = 0; i < TRIES_MAX && code == RPCRT_ABORTED; i++) {
        code = claim_try(work, service, ret_error);
    }
    common_work_free(work);
    return code;
}
