/*
 * Users in the store: see user_record.h.
 */
#include "petstore/user_record.h"
#include "petstore/text.h"

#include <string.h>

bool
shop_user_name_ok(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' &&
           shop_word_ok(name, 3, 32, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
}

bool
shop_user_password_ok(const char *password)
{
    size_t size = strnlen(password, 257);

    return size >= 8 && size <= 256;
}

void
shop_user_read(struct common_work *work, const char *name,
               struct common_record *ret_record)
{
    common_read(work, common_work_format(work, "user/%s", name),
                &petstore__record__user__descriptor, ret_record);
}

const Petstore__Record__User *
shop_user_of(const struct common_record *record)
{
    return (const Petstore__Record__User *)record->message;
}

void
shop_user_put(struct common_work *work, const struct common_record *record,
              const char *name, const char *hash, bool staff)
{
    Petstore__Record__User user = PETSTORE__RECORD__USER__INIT;

    user.name = name;
    user.password = hash;
    user.staff = staff;
    common_expect(work, record);
    common_put(work, record->key, &user.base);
}
