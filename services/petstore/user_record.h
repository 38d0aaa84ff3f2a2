/*
 * Users in the store, and the rules for their names and passwords.
 */
#ifndef PETSTORE_USER_RECORD_H
#define PETSTORE_USER_RECORD_H

#include "petstore/record.pb-c.h"
#include "petstore/service.h"

#include <stdbool.h>

/* 3 to 32 lower-case letters, digits, "-", "_", "."; begins with a letter. So
 * it can stand in a key. */
bool shop_user_name_ok(const char *name);
/* 8 to 256 bytes. */
bool shop_user_password_ok(const char *password);

/* Read a user with the work's next common_read_now(). The name must be OK. */
void shop_user_read(struct common_work *work, const char *name,
                    struct common_record *ret_record);

/* The user of a record that was read; NULL: there is none. */
const Petstore__Record__User *shop_user_of(const struct common_record *record);

/* Write a user in the work's next commit, if the record is still as it was
 * read. */
void shop_user_put(struct common_work *work, const struct common_record *record,
                   const char *name, const char *hash, bool staff);

#endif
