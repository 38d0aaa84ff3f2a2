/*
 * What must be so before a shop opens: its currency, and its first staff user.
 */
#ifndef PETSTORE_START_H
#define PETSTORE_START_H

#include "petstore/service.h"

/**
 * Fix the currency with the first start, and make the staff user that a file
 * names, if it is missing.
 *
 * staff_file  one line, "NAME PASSWORD"; NULL: none
 * Returns     OK; INVALID_ARGUMENT for what can't be a currency or a user;
 *             FAILED_PRECONDITION if the shop has another currency, the user is
 *             a customer, or the file can't be read; or what the store ends in.
 */
RPCRT_MUST_CHECK enum rpcrt_code shop_start(const struct shop_service *service,
                                            const char *staff_file,
                                            struct common_error *ret_error);

#endif
