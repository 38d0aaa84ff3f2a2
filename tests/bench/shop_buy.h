/*
 * Customers who buy one pet after the other.
 */
#ifndef BENCH_SHOP_BUY_H
#define BENCH_SHOP_BUY_H

#include "bench/shop_client.h"

struct shop_customers;

/** Register customers and log them in, each with a card full of money. */
struct shop_customers *shop_customers_new(struct shop_client *client,
                                          unsigned n);
void shop_customers_free(struct shop_customers *customers);

/** Have pets for so many purchases. */
void shop_buy_prepare(struct shop_customers *customers, uint64_t n);

/** Make so many purchases. */
void shop_buy_some(struct shop_customers *customers, uint64_t n);

/** Buy for some seconds and print purchases ("calls") a second, and latencies
 * of Checkout alone. */
void shop_buy_measure(struct shop_customers *customers, double seconds);

#endif
