/*
 * Finishes orders that stand still: their process was killed or paused, their
 * customer has left, or the time to try another card is over. Every petstored
 * has one; an order is safe with any number of them.
 *
 *   shop_rescuer_new(&service)
 *   common_ticker_start(every_ms, shop_rescuer_tick, rescuer, ...)
 */
#ifndef PETSTORE_RESCUER_H
#define PETSTORE_RESCUER_H

#include "petstore/service.h"

#include <stdbool.h>

struct shop_rescuer;

/* NULL without memory. The service is kept. */
struct shop_rescuer *shop_rescuer_new(struct shop_service *service);
void shop_rescuer_free(struct shop_rescuer *rescuer);

/* How often to look, in milliseconds, for common_ticker_start(). */
uint32_t shop_rescuer_every_ms(const struct shop_service *service);

/* Look at all open orders once, and finish those that stand still for
 * rescue_after_ms; for a ticker, arg is the rescuer. Returns false: the next
 * round has time. */
bool shop_rescuer_tick(void *arg);

#endif
