/*
 * Sessions: see session.h.
 *
 *   session/<SHA-256 of the token>   who, and until when
 *   ending/<time>/<hash>             the same by their end, for the sweeper
 */
#include "petstore/session.h"
#include "common/ids.h"
#include "petstore/record.pb-c.h"
#include "petstore/refuse.h"

#include <inttypes.h>
#include <rpcrt/auth.h>
#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES 32u
#define SWEEP_MAX 60u

static const char session_prefix[] = "session/";

/* What stands for a token in keys: its hash in hexadecimal digits. */
struct name {
    char digits[2 * crypto_hash_sha256_BYTES + 1];
};

static void
name_make(const char *token, size_t size, struct name *ret_name)
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(hash, (const uint8_t *)token, size);
    (void)sodium_bin2hex(ret_name->digits, sizeof(ret_name->digits), hash,
                         sizeof(hash));
}

static char *
session_key(struct common_work *work, const char *name)
{
    return common_work_format(work, "%s%s", session_prefix, name);
}

static char *
ending_key(struct common_work *work, int64_t expires_at_ms, const char *name)
{
    return common_work_format(work, "ending/%016" PRIx64 "/%s",
                              (uint64_t)expires_at_ms, name);
}

/* -- whom a call comes from ------------------------------------------------ */

static enum rpcrt_code
session_judge(const struct shop_service *service, struct rpcrt_ctx *ctx,
              const Petstore__Record__Session *session, bool staff_needed)
{
    if (session == NULL) {
        return shop_refuse(ctx, RPCRT_UNAUTHENTICATED,
                           PETSTORE__V1__REASON__SESSION_UNKNOWN,
                           "the session is unknown, or over: log in");
    }
    if (session->expires_at_ms <= shop_now_ms(service)) {
        return shop_refuse(ctx, RPCRT_UNAUTHENTICATED,
                           PETSTORE__V1__REASON__SESSION_EXPIRED,
                           "the session has expired: log in again");
    }
    if (staff_needed && !session->staff) {
        return shop_refuse(ctx, RPCRT_PERMISSION_DENIED,
                           PETSTORE__V1__REASON__STAFF_ONLY,
                           "only staff may do this");
    }
    return RPCRT_OK;
}

enum rpcrt_code
shop_session_check(const struct shop_service *service, struct rpcrt_ctx *ctx,
                   struct common_work *work, bool staff_needed,
                   struct shop_user *ret_user)
{
    const Petstore__Record__Session *session;
    struct common_record record;
    struct name name;
    enum rpcrt_code code;
    size_t size = 0;
    const char *token = rpcrt_ctx_token(ctx, &size);

    if (work == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    if (token == NULL) {
        return shop_refuse(ctx, RPCRT_UNAUTHENTICATED,
                           PETSTORE__V1__REASON__SESSION_UNKNOWN,
                           "no token: log in, and send metadata "
                           "\"authorization: Bearer TOKEN\"");
    }
    name_make(token, size, &name);
    common_read(work, session_key(work, name.digits),
                &petstore__record__session__descriptor, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return common_work_fail(work, ctx);
    }
    session = (const Petstore__Record__Session *)record.message;
    code = session_judge(service, ctx, session, staff_needed);
    if (code == RPCRT_OK) {
        *ret_user = (struct shop_user){
            .name = session->user, .staff = session->staff, .session = record};
    }
    return code;
}

/* -- begin and end --------------------------------------------------------- */

int64_t
shop_session_open(const struct shop_service *service, struct common_work *work,
                  const struct shop_user *user, char ret_token[SHOP_TOKEN_SIZE])
{
    Petstore__Record__Session session = PETSTORE__RECORD__SESSION__INIT;
    uint8_t random[TOKEN_BYTES];
    struct name name;
    char *key;

    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2base64(ret_token, SHOP_TOKEN_SIZE, random, sizeof(random),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    name_make(ret_token, SHOP_TOKEN_SIZE - 1, &name);
    sodium_memzero(random, sizeof(random));
    session.user = user->name;
    session.staff = user->staff;
    session.expires_at_ms = shop_now_ms(service) + service->options.session_ms;
    key = session_key(work, name.digits);
    common_expect_nothing(work, key);
    common_put(work, key, &session.base);
    common_put(work, ending_key(work, session.expires_at_ms, name.digits),
               NULL);
    return session.expires_at_ms;
}

void
shop_session_close(struct common_work *work, const struct shop_user *user)
{
    const Petstore__Record__Session *session =
        (const Petstore__Record__Session *)user->session.message;
    const char *name = user->session.key + sizeof(session_prefix) - 1;

    common_expect(work, &user->session);
    common_delete(work, user->session.key);
    common_delete(work, ending_key(work, session->expires_at_ms, name));
}

/* -- the sweeper ----------------------------------------------------------- */

/* Whoever else sweeps the same makes the commit ABORTED: nothing is lost. */
static bool
sweep(struct common_work *work, const struct common_page *page)
{
    size_t i;

    for (i = 0; i < page->n_records; i++) {
        const char *key = page->records[i].key;
        const char *slash = strrchr(key, '/');

        if (i == 0) {
            common_expect(work, &page->records[0]);
        }
        common_delete(work, key);
        common_delete(work, session_key(work, slash + 1));
    }
    return page->n_records > 0 && common_commit(work) == RPCRT_OK && page->more;
}

bool
shop_session_sweep(void *arg)
{
    const struct shop_service *service = arg;
    struct common_work *work =
        common_work_new(service->store, NULL, "session-sweep");
    struct common_span span = {
        .first = "ending/", .keys_only = true, .limit = SWEEP_MAX};
    struct common_page page;
    bool more = false;

    if (work == NULL) {
        return false;
    }
    span.end = ending_key(work, shop_now_ms(service) + 1, "");
    if (span.end != NULL && common_scan(work, &span, NULL, &page) == RPCRT_OK) {
        more = sweep(work, &page);
    }
    common_work_free(work);
    return more;
}
