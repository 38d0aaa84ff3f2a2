/*
 * Sessions: from Login to Logout or the end of their time. The store knows
 * only the hash of a session's token.
 */
#ifndef PETSTORE_SESSION_H
#define PETSTORE_SESSION_H

#include "petstore/service.h"

#include <stdbool.h>

/* Whom a call comes from. The texts live as long as its work. */
struct shop_user {
    const char *name;
    bool staff;
    struct common_record session;
};

/**
 * Find the user of a call by the token in its metadata: the first thing that
 * every handler does but those of Register and Login. One round trip.
 *
 * work         new, of this ctx; NULL: there was no memory for it
 * Returns      OK; UNAUTHENTICATED (SESSION_UNKNOWN, SESSION_EXPIRED);
 *              PERMISSION_DENIED (STAFF_ONLY); or what reading ends in. The
 *              ctx has the text.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_session_check(const struct shop_service *service, struct rpcrt_ctx *ctx,
                   struct common_work *work, bool staff_needed,
                   struct shop_user *ret_user);

/* A session's token: 32 random bytes as base64url, and an end. */
#define SHOP_TOKEN_SIZE 44u

/**
 * Open a session in the work's next commit.
 *
 * user     its name and whether it is staff; session is not used
 * Returns  when it ends.
 */
int64_t shop_session_open(const struct shop_service *service,
                          struct common_work *work,
                          const struct shop_user *user,
                          char ret_token[SHOP_TOKEN_SIZE]);

/* End a session in the work's next commit; it stays as it was read. */
void shop_session_close(struct common_work *work, const struct shop_user *user);

/* Remove sessions whose time is over; for a ticker, arg is the service. True
 * if there may be more. */
bool shop_session_sweep(void *arg);

#endif
