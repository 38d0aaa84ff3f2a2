/*
 * The books, by double entry: accounts, what is held on them, and movements,
 * each of which debits one account and credits another by the same amount. So
 * in each currency all accounts together are zero.
 *
 * Pure: records are changed in memory, nothing is read or written.
 */
#ifndef PAYMENT_BOOKS_H
#define PAYMENT_BOOKS_H

#include "payment/record.pb-c.h"
#include "payment/v1/payment.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* What an account has, holds included; the external one is below zero. */
int64_t pay_account_posted(const Payment__Record__Account *account);

/* What is left of it for new holds. */
int64_t pay_account_available(const Payment__Record__Account *account);

/* Hold an amount above zero; false, and nothing is changed, if less than that
 * is available. */
bool pay_account_hold(Payment__Record__Account *account, int64_t amount);

/* Let a held amount go. False, and nothing is changed, if less is held: then
 * the records contradict each other. */
bool pay_account_release(Payment__Record__Account *account, int64_t amount);

/**
 * Move an amount above zero between two accounts of the same currency.
 *
 * what       "issue", "capture" or "refund", for the journal; borrowed
 * ret_entry  for the journal; its texts are borrowed from the accounts
 * Returns    false, and nothing is changed, if the debited account has not so
 *            much available (the external one always has), the credited one
 *            would have more than an owner can, or a sum does not fit.
 */
bool pay_books_move(Payment__Record__Account *debit,
                    Payment__Record__Account *credit, int64_t amount,
                    const char *what, int64_t now_ms,
                    Payment__Record__Entry *ret_entry);

#endif
