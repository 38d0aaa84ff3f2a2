/*
 * The secrets that the data in the store was made with, against those of the
 * file: see secrets.h. For each stands an HMAC made with it: enough to know it
 * again, and nothing to learn from.
 */
#include "payment/record.pb-c.h"
#include "payment/secrets.h"

#include "common/store.h"

#include <string.h>

#define TRIES_MAX 10u

static const char prefix[] = "secret/";

static void
check_make(const struct pay_secrets *secrets, size_t i,
           uint8_t ret_check[PAY_MAC_SIZE])
{
    struct pay_mac mac;

    pay_mac_begin(&mac, secrets, i, "check");
    pay_mac_text(&mac, pay_secrets_id(secrets, i));
    pay_mac_end(&mac, ret_check);
}

/* Whether the file has the secret of a record, and which it is. */
static enum rpcrt_code
record_check(const struct common_record *record,
             const struct pay_secrets *secrets, struct common_error *ret_error,
             size_t *ret_i)
{
    const Payment__Record__Secret *secret =
        (const Payment__Record__Secret *)record->message;
    const char *id = record->key + strlen(prefix);
    uint8_t check[PAY_MAC_SIZE];

    if (!pay_secrets_find(secrets, id, ret_i)) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the store has data made with the secret '%s', "
                                "which the file of secrets lacks",
                                id);
    }
    check_make(secrets, *ret_i, check);
    if (secret->check.len != sizeof(check) ||
        sodium_memcmp(secret->check.data, check, sizeof(check)) != 0) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the secret '%s' of the file is not the one "
                                "that the store's data was made with",
                                id);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
work_failed(const struct common_work *work, struct common_error *ret_error)
{
    return common_error_set(ret_error, common_work_code(work), "%s",
                            common_work_message(work));
}

/* Write down the first secret. */
static enum rpcrt_code
first_enter(struct common_work *work, const struct pay_secrets *secrets,
            struct common_error *ret_error)
{
    Payment__Record__Secret secret = PAYMENT__RECORD__SECRET__INIT;
    const char *key =
        common_work_format(work, "%s%s", prefix, pay_secrets_id(secrets, 0));
    uint8_t check[PAY_MAC_SIZE];
    enum rpcrt_code code;

    check_make(secrets, 0, check);
    secret.check.data = check;
    secret.check.len = sizeof(check);
    common_expect_nothing(work, key);
    common_put(work, key, &secret.base);
    code = common_commit(work);
    return code == RPCRT_OK || code == RPCRT_ABORTED
               ? code
               : work_failed(work, ret_error);
}

/* ABORTED: another process was faster. */
static enum rpcrt_code
enter(struct common_work *work, const struct pay_secrets *secrets,
      struct common_error *ret_error)
{
    const struct common_span span = {.first = prefix, .limit = 1000};
    struct common_page page;
    bool entered = false;
    size_t i;

    if (common_scan(work, &span, &payment__record__secret__descriptor, &page) !=
        RPCRT_OK) {
        return work_failed(work, ret_error);
    }
    for (i = 0; i < page.n_records; i++) {
        size_t which = 0;
        enum rpcrt_code code =
            record_check(&page.records[i], secrets, ret_error, &which);

        if (code != RPCRT_OK) {
            return code;
        }
        entered = entered || which == 0;
    }
    return entered ? RPCRT_OK : first_enter(work, secrets, ret_error);
}

enum rpcrt_code
pay_secrets_enter(const struct pay_secrets *secrets, struct common_store *store,
                  struct common_error *ret_error)
{
    enum rpcrt_code code = RPCRT_ABORTED;
    unsigned i;

    for (i = 0; i < TRIES_MAX && code == RPCRT_ABORTED; i++) {
        struct common_work *work = common_work_new(store, NULL, "secrets");

        if (work == NULL) {
            return common_error_no_memory(ret_error);
        }
        code = enter(work, secrets, ret_error);
        common_work_free(work);
    }
    if (code == RPCRT_ABORTED) {
        return common_error_set(ret_error, code,
                                "others keep entering the first secret");
    }
    return code;
}
