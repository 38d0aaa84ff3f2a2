/*
 * Register, Login and Logout: see users.h.
 */
#include "petstore/users.h"
#include "petstore/passwords.h"
#include "petstore/refuse.h"
#include "petstore/session.h"
#include "petstore/user_record.h"

#include <string.h>

/* -- Register -------------------------------------------------------------- */

static enum rpcrt_code
name_taken(struct rpcrt_ctx *ctx, const char *name)
{
    return shop_refuse(ctx, RPCRT_ALREADY_EXISTS,
                       PETSTORE__V1__REASON__USER_EXISTS,
                       "the user name '%s' is taken", name);
}

static enum rpcrt_code
register_do(const struct shop_service *service, struct rpcrt_ctx *ctx,
            struct common_work *work, const char *name, const char *password)
{
    struct common_record record;
    struct common_error error;
    char hash[SHOP_PASSWORD_HASH_SIZE];
    enum rpcrt_code code;

    shop_user_read(work, name, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return common_work_fail(work, ctx);
    }
    if (record.message != NULL) {
        return name_taken(ctx, name);
    }
    if (shop_password_hash(service->passwords, ctx, password, &error, hash) !=
        RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, error.code, "%s", error.text);
    }
    shop_user_put(work, &record, name, hash, false);
    code = common_commit(work);
    if (code == RPCRT_ABORTED) {
        return name_taken(ctx, name);
    }
    return code == RPCRT_OK ? code : common_work_fail(work, ctx);
}

enum rpcrt_code
shop_users_register(void *self, struct rpcrt_ctx *ctx,
                    const Petstore__V1__RegisterRequest *request,
                    Petstore__V1__RegisterReply *reply)
{
    const struct shop_service *service = self;
    struct common_work *work;
    enum rpcrt_code code;

    (void)reply;
    if (!shop_user_name_ok(request->user)) {
        return shop_refuse(ctx, RPCRT_INVALID_ARGUMENT,
                           PETSTORE__V1__REASON__USER_NAME_INVALID,
                           "user: expected 3 to 32 lower-case letters, digits, "
                           "'-', '_', '.', beginning with a letter");
    }
    if (!shop_user_password_ok(request->password)) {
        return shop_refuse(ctx, RPCRT_INVALID_ARGUMENT,
                           PETSTORE__V1__REASON__PASSWORD_INVALID,
                           "password: expected 8 to 256 bytes");
    }
    work = common_work_new(service->store, ctx, NULL);
    if (work == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    code = register_do(service, ctx, work, request->user, request->password);
    common_work_free(work);
    return code;
}

/* -- Login ----------------------------------------------------------------- */

/* The record of a user; one without key for a name that nobody can have. */
static enum rpcrt_code
user_find(struct common_work *work, const char *name,
          struct common_record *ret_record)
{
    *ret_record = (struct common_record){.key = NULL};
    if (!shop_user_name_ok(name)) {
        return RPCRT_OK;
    }
    shop_user_read(work, name, ret_record);
    return common_read_now(work);
}

/* The password of a user who has just shown it, hashed with the parameters of
 * today. What goes wrong here is tried again at the next Login. */
static void
password_renew(const struct shop_service *service, struct rpcrt_ctx *ctx,
               const struct common_record *record, const char *password)
{
    const Petstore__Record__User *user = shop_user_of(record);
    struct common_work *work = common_work_new(service->store, ctx, NULL);
    struct common_error error;
    char hash[SHOP_PASSWORD_HASH_SIZE];

    if (work != NULL && shop_password_hash(service->passwords, ctx, password,
                                           &error, hash) == RPCRT_OK) {
        shop_user_put(work, record, user->name, hash, user->staff);
        (void)(common_commit(work) == RPCRT_OK);
    }
    common_work_free(work);
}

static enum rpcrt_code
login_open(const struct shop_service *service, struct rpcrt_ctx *ctx,
           struct common_work *work, const Petstore__Record__User *record,
           Petstore__V1__LoginReply *reply)
{
    struct shop_user user = {.name = record->name, .staff = record->staff};
    char *token = rpcrt_ctx_alloc(ctx, SHOP_TOKEN_SIZE);

    if (token == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    reply->expires_at_ms = shop_session_open(service, work, &user, token);
    if (common_commit(work) != RPCRT_OK) {
        return common_work_fail(work, ctx);
    }
    reply->token = token;
    reply->staff = user.staff;
    return RPCRT_OK;
}

static enum rpcrt_code
login_do(const struct shop_service *service, struct rpcrt_ctx *ctx,
         struct common_work *work, const Petstore__V1__LoginRequest *request,
         Petstore__V1__LoginReply *reply)
{
    const Petstore__Record__User *user;
    struct common_record record;
    struct common_error error;
    bool right = false;
    bool stale = false;

    if (user_find(work, request->user, &record) != RPCRT_OK) {
        return common_work_fail(work, ctx);
    }
    user = shop_user_of(&record);
    if (shop_password_check(
            service->passwords, ctx, user == NULL ? NULL : user->password,
            request->password, &error, &right, &stale) != RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, error.code, "%s", error.text);
    }
    if (!right) {
        return shop_refuse(ctx, RPCRT_UNAUTHENTICATED,
                           PETSTORE__V1__REASON__LOGIN_REFUSED,
                           "unknown user, or wrong password");
    }
    if (stale) {
        password_renew(service, ctx, &record, request->password);
    }
    return login_open(service, ctx, work, user, reply);
}

enum rpcrt_code
shop_users_login(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__LoginRequest *request,
                 Petstore__V1__LoginReply *reply)
{
    const struct shop_service *service = self;
    struct common_work *work = common_work_new(service->store, ctx, NULL);
    enum rpcrt_code code;

    if (work == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    code = login_do(service, ctx, work, request, reply);
    common_work_free(work);
    return code;
}

/* -- Logout ---------------------------------------------------------------- */

enum rpcrt_code
shop_users_logout(void *self, struct rpcrt_ctx *ctx,
                  const Petstore__V1__LogoutRequest *request,
                  Petstore__V1__LogoutReply *reply)
{
    const struct shop_service *service = self;
    struct common_work *work = common_work_new(service->store, ctx, NULL);
    struct shop_user user;
    enum rpcrt_code code = shop_session_check(service, ctx, work, false, &user);

    (void)request;
    (void)reply;
    if (code == RPCRT_OK) {
        shop_session_close(work, &user);
        code = common_commit(work);
        if (code == RPCRT_ABORTED) {
            code = RPCRT_OK; /* somebody else has closed it */
        } else if (code != RPCRT_OK) {
            code = common_work_fail(work, ctx);
        }
    }
    common_work_free(work);
    return code;
}
