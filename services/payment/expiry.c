/*
 * Ending authorizations: see expiry.h.
 */
#include "payment/expiry.h"
#include "payment/keys.h"
#include "payment/ledger.h"

#include <string.h>

#define ROUND_MAX 64u

/* End one; whoever changes it meanwhile has taken care of it. */
static bool
expire(const struct pay_service *service, const char *id, int64_t now_ms)
{
    struct common_work *work = common_work_new(service->store, NULL, id);
    struct pay_ledger ledger;
    enum rpcrt_code code;

    if (work == NULL) {
        return false;
    }
    memset(&ledger, 0, sizeof(ledger));
    ledger.work = work;
    code = pay_ledger_read_payment(&ledger, id);
    if (code == RPCRT_OK) {
        code = pay_ledger_expire(&ledger, now_ms);
    }
    common_work_free(work);
    return code == RPCRT_OK;
}

bool
pay_expiry_round(void *arg)
{
    const struct pay_service *service = arg;
    struct common_work *work = common_work_new(service->store, NULL, "expiry");
    int64_t now_ms = pay_service_now_ms(service);
    struct common_span span = {
        .first = "due/", .keys_only = true, .limit = ROUND_MAX};
    struct common_page page = {.n_records = 0};
    size_t n_ended = 0;
    bool more = false;
    size_t i;

    if (work == NULL) {
        return false;
    }
    span.end = pay_key_due(work, now_ms + 1, "");
    if (common_scan(work, &span, NULL, &page) == RPCRT_OK) {
        for (i = 0; i < page.n_records; i++) {
            const char *slash = strrchr(page.records[i].key, '/');

            n_ended += expire(service, slash + 1, now_ms) ? 1 : 0;
        }
        more = page.more && n_ended > 0;
    }
    common_work_free(work);
    return more;
}
