/*
 * Accounts and movements: see books.h.
 */
#include "payment/books.h"
#include "payment/money.h"

#include <string.h>

static bool
is_external(const Payment__Record__Account *account)
{
    return account->kind == PAYMENT__V1__ACCOUNT__KIND__EXTERNAL;
}

int64_t
pay_account_posted(const Payment__Record__Account *account)
{
    return account->credits_posted - account->debits_posted;
}

int64_t
pay_account_available(const Payment__Record__Account *account)
{
    return pay_account_posted(account) - account->debits_pending;
}

bool
pay_account_hold(Payment__Record__Account *account, int64_t amount)
{
    if (amount <= 0 || amount > pay_account_available(account)) {
        return false;
    }
    account->debits_pending += amount;
    return true;
}

bool
pay_account_release(Payment__Record__Account *account, int64_t amount)
{
    if (amount <= 0 || amount > account->debits_pending) {
        return false;
    }
    account->debits_pending -= amount;
    return true;
}

bool
pay_books_move(Payment__Record__Account *debit,
               Payment__Record__Account *credit, int64_t amount,
               const char *what, int64_t now_ms,
               Payment__Record__Entry *ret_entry)
{
    int64_t debits;
    int64_t credits;

    if (amount <= 0 || amount > PAY_MINOR_MAX ||
        strcmp(debit->currency, credit->currency) != 0 ||
        (!is_external(debit) && amount > pay_account_available(debit)) ||
        (!is_external(credit) &&
         amount > PAY_MINOR_MAX - pay_account_posted(credit)) ||
        !pay_minor_add(debit->debits_posted, amount, &debits) ||
        !pay_minor_add(credit->credits_posted, amount, &credits)) {
        return false;
    }
    debit->debits_posted = debits;
    credit->credits_posted = credits;
    payment__record__entry__init(ret_entry);
    ret_entry->debit = debit->id;
    ret_entry->credit = credit->id;
    ret_entry->amount = amount;
    ret_entry->currency = debit->currency;
    ret_entry->at_ms = now_ms;
    ret_entry->what = what;
    return true;
}
