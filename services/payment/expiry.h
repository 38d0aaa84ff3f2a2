/*
 * Authorizations end by themselves: a thread looks for those whose time is
 * over. Calls that meet one do the same, so nothing depends on the thread being
 * in time.
 */
#ifndef PAYMENT_EXPIRY_H
#define PAYMENT_EXPIRY_H

#include "payment/service.h"

/* One round, for a thread of common/ticker.h: end some of those that are due
 * now. True: there may be more. arg is the service. */
bool pay_expiry_round(void *arg);

#endif
