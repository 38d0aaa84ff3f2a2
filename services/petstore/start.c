/*
 * What must be so before a shop opens: see start.h.
 */
#include "petstore/start.h"
#include "common/currency.h"
#include "petstore/passwords.h"
#include "petstore/record.pb-c.h"
#include "petstore/user_record.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TRIES_MAX 10u
/* Name, blank, password, and what makes a longer one be noticed. */
#define LINE_SIZE (32u + 1u + 256u + 8u)

static enum rpcrt_code
work_error(const struct common_work *work, const char *what,
           struct common_error *ret_error)
{
    return common_error_set(ret_error, common_work_code(work), "%s: %s", what,
                            common_work_message(work));
}

/* -- the currency ---------------------------------------------------------- */

/* One try; ABORTED: again. */
static enum rpcrt_code
currency_try(const struct shop_service *service, struct common_work *work,
             struct common_error *ret_error)
{
    Petstore__Record__Shop fresh = PETSTORE__RECORD__SHOP__INIT;
    const Petstore__Record__Shop *shop;
    struct common_record record;

    common_read(work, "shop", &petstore__record__shop__descriptor, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return work_error(work, "reading the shop's record", ret_error);
    }
    shop = (const Petstore__Record__Shop *)record.message;
    if (shop != NULL &&
        strcmp(shop->currency, service->options.currency) != 0) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the currency of this shop is %.8s since its "
                                "first start: it can't become %.8s",
                                shop->currency, service->options.currency);
    }
    if (shop != NULL) {
        return RPCRT_OK;
    }
    fresh.currency = service->options.currency;
    common_expect(work, &record);
    common_put(work, record.key, &fresh.base);
    return common_commit(work) == RPCRT_OK
               ? RPCRT_OK
               : work_error(work, "writing the shop's record", ret_error);
}

/* -- the first staff user -------------------------------------------------- */

struct staff {
    char line[LINE_SIZE];
    const char *name; /* in line, like the password */
    const char *password;
};

static enum rpcrt_code
staff_parse(const char *path, struct staff *staff,
            struct common_error *ret_error)
{
    char *blank;

    staff->line[strcspn(staff->line, "\r\n")] = '\0';
    blank = strchr(staff->line, ' ');
    if (blank == NULL) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: expected one line, NAME PASSWORD", path);
    }
    *blank = '\0';
    staff->name = staff->line;
    staff->password = blank + 1;
    if (!shop_user_name_ok(staff->name)) {
        return common_error_set(
            ret_error, RPCRT_INVALID_ARGUMENT,
            "%s: the name has not 3 to 32 lower-case letters, digits, '-', "
            "'_', '.', beginning with a letter",
            path);
    }
    if (!shop_user_password_ok(staff->password)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: the password has not 8 to 256 bytes",
                                path);
    }
    return RPCRT_OK;
}

static enum rpcrt_code
staff_read(const char *path, struct staff *staff,
           struct common_error *ret_error)
{
    FILE *file = fopen(path, "re");
    bool read;

    if (file == NULL) {
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "%s", path);
    }
    /* Unbuffered: no copy of the password stays in memory that is freed. */
    (void)setvbuf(file, NULL, _IONBF, 0);
    read = fgets(staff->line, sizeof(staff->line), file) != NULL;
    (void)fclose(file);
    if (!read) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "%s: can't be read, or is empty", path);
    }
    return staff_parse(path, staff, ret_error);
}

/* One try; ABORTED: again. */
static enum rpcrt_code
staff_try(const struct shop_service *service, struct common_work *work,
          const struct staff *staff, struct common_error *ret_error)
{
    const Petstore__Record__User *user;
    struct common_record record;
    char hash[SHOP_PASSWORD_HASH_SIZE];
    enum rpcrt_code code;

    shop_user_read(work, staff->name, &record);
    if (common_read_now(work) != RPCRT_OK) {
        return work_error(work, "reading the staff user", ret_error);
    }
    user = shop_user_of(&record);
    if (user != NULL && !user->staff) {
        return common_error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "the staff user '%s' is a customer already: "
                                "choose another name",
                                staff->name);
    }
    if (user != NULL) {
        return RPCRT_OK;
    }
    code = shop_password_hash(service->passwords, NULL, staff->password,
                              ret_error, hash);
    if (code != RPCRT_OK) {
        return code;
    }
    shop_user_put(work, &record, staff->name, hash, true);
    return common_commit(work) == RPCRT_OK
               ? RPCRT_OK
               : work_error(work, "writing the staff user", ret_error);
}

/* -- all ------------------------------------------------------------------- */

static enum rpcrt_code
start_do(const struct shop_service *service, struct common_work *work,
         const struct staff *staff, struct common_error *ret_error)
{
    enum rpcrt_code code;
    unsigned tries = 0;

    do {
        code = currency_try(service, work, ret_error);
    } while (code == RPCRT_ABORTED && ++tries < TRIES_MAX);
    if (code != RPCRT_OK || staff->name == NULL) {
        return code;
    }
    do {
        code = staff_try(service, work, staff, ret_error);
    } while (code == RPCRT_ABORTED && ++tries < TRIES_MAX);
    return code;
}

enum rpcrt_code
shop_start(const struct shop_service *service, const char *staff_file,
           struct common_error *ret_error)
{
    struct staff staff = {.name = NULL};
    struct common_work *work = NULL;
    enum rpcrt_code code = RPCRT_OK;

    if (!common_currency_ok(service->options.currency)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the currency '%.8s' is no code of "
                                "ISO 4217 in use",
                                service->options.currency);
    }
    if (staff_file != NULL) {
        code = staff_read(staff_file, &staff, ret_error);
    }
    if (code == RPCRT_OK) {
        work = common_work_new(service->store, NULL, "start");
        code = work == NULL ? common_error_no_memory(ret_error)
                            : start_do(service, work, &staff, ret_error);
    }
    common_work_free(work);
    sodium_memzero(&staff, sizeof(staff));
    return code;
}
