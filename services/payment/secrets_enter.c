/*
 * The secrets that the data in the store was made with, against those of the
 * file: see secrets.h. For each stands an HMAC made with it: enough to know it
 * again, and nothing to learn from.
 */
#include "payment/record.pb-c.h"
#include "payment/secrets.h"

#define TRIES_MAX 10u

static void
check_make(const struct pay_secrets *secrets, size_t i,
           uint8_t ret_check[PAY_MAC_SIZE])
{
    struct pay_mac mac;

    pay_mac_begin(&mac, secrets, i, "check");
    pay_mac_text(&mac, pay_secrets_id(secrets, i));
    pay_mac_end(&mac, ret_check);
}

void
pay_secrets_read(struct common_work *work, struct common_record *ret_record)
{
    common_read(work, "secrets", &payment__record__secrets__descriptor,
                ret_record);
}

/* Whether the file has a secret, and which it is. */
static enum rpcrt_code
one_check(const struct pay_secrets *secrets,
          const Payment__Record__Secret *secret, struct common_error *ret_error,
          size_t *ret_i)
{
    uint8_t check[PAY_MAC_SIZE];

    if (!pay_secrets_find(secrets, secret->id, ret_i)) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the store has data made with the secret "
                                "'%.32s', which the file of secrets lacks",
                                secret->id);
    }
    check_make(secrets, *ret_i, check);
    if (secret->check.len != sizeof(check) ||
        sodium_memcmp(secret->check.data, check, sizeof(check)) != 0) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the secret '%.32s' of the file is not the one "
                                "that the store's data was made with",
                                secret->id);
    }
    return RPCRT_OK;
}

/* Check all; ret_entered: whether the first of the file is among them. */
static enum rpcrt_code
all_check(const struct pay_secrets *secrets, const struct common_record *record,
          struct common_error *ret_error, bool *ret_entered)
{
    const Payment__Record__Secrets *entered =
        (const Payment__Record__Secrets *)record->message;
    size_t which = 0;
    size_t i;

    *ret_entered = false;
    for (i = 0; entered != NULL && i < entered->n_secrets; i++) {
        enum rpcrt_code code =
            one_check(secrets, entered->secrets[i], ret_error, &which);

        if (code != RPCRT_OK) {
            return code;
        }
        *ret_entered = *ret_entered || which == 0;
    }
    return RPCRT_OK;
}

enum rpcrt_code
pay_secrets_check(const struct pay_secrets *secrets,
                  const struct common_record *record,
                  struct common_error *ret_error)
{
    bool entered = false;

    return all_check(secrets, record, ret_error, &entered);
}

/* -- entering -------------------------------------------------------------- */

static enum rpcrt_code
work_failed(const struct common_work *work, struct common_error *ret_error)
{
    return common_error_set(ret_error, common_work_code(work), "%s",
                            common_work_message(work));
}

/* Write the record again, with the first secret behind the others. All are in
 * the file, so there are not too many. */
static enum rpcrt_code
first_enter(struct common_work *work, const struct pay_secrets *secrets,
            const struct common_record *record, struct common_error *ret_error)
{
    const Payment__Record__Secrets *before =
        (const Payment__Record__Secrets *)record->message;
    Payment__Record__Secrets entered = PAYMENT__RECORD__SECRETS__INIT;
    Payment__Record__Secret first = PAYMENT__RECORD__SECRET__INIT;
    Payment__Record__Secret *items[PAY_SECRETS_MAX];
    uint8_t check[PAY_MAC_SIZE];

    entered.secrets = items;
    for (; before != NULL && entered.n_secrets < before->n_secrets &&
           entered.n_secrets < PAY_SECRETS_MAX - 1;
         entered.n_secrets++) {
        items[entered.n_secrets] = before->secrets[entered.n_secrets];
    }
    check_make(secrets, 0, check);
    first.id = pay_secrets_id(secrets, 0);
    first.check.data = check;
    first.check.len = sizeof(check);
    items[entered.n_secrets++] = &first;
    common_expect(work, record);
    common_put(work, record->key, &entered.base);
    return common_commit(work) == RPCRT_OK ? RPCRT_OK
                                           : work_failed(work, ret_error);
}

/* ABORTED: another process was faster. */
static enum rpcrt_code
enter(struct common_work *work, const struct pay_secrets *secrets,
      struct common_error *ret_error)
{
    struct common_record record;
    bool entered = false;
    enum rpcrt_code code;

    pay_secrets_read(work, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return work_failed(work, ret_error);
    }
    code = all_check(secrets, &record, ret_error, &entered);
    return code != RPCRT_OK || entered
               ? code
               : first_enter(work, secrets, &record, ret_error);
}

enum rpcrt_code
pay_secrets_enter(const struct pay_secrets *secrets, struct common_store *store,
                  struct common_error *ret_error)
{
    struct common_work *work = common_work_new(store, NULL, "secrets");
    enum rpcrt_code code = RPCRT_ABORTED;
    unsigned i;

    if (work == NULL) {
        return common_error_no_memory(ret_error);
    }
    for (i = 0; i < TRIES_MAX && code == RPCRT_ABORTED; i++) {
        code = enter(work, secrets, ret_error);
    }
    common_work_free(work);
    return code;
}
