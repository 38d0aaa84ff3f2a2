/*
 * The currencies that people pay with.
 */
#ifndef SERVICES_COMMON_CURRENCY_H
#define SERVICES_COMMON_CURRENCY_H

#include <stdbool.h>

/* Whether a text is an ISO 4217 code of money that is in use. */
bool common_currency_ok(const char *currency);

#endif
