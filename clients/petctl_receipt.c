/*
 * The receipt that a customer gets for a paid order, 44 columns wide.
 */
#include "petctl.h"

#include <stdio.h>

#define WIDTH 44
#define INDENT "  "

static void
rule(char c)
{
    int i;

    (void)fputs(INDENT, stdout);
    for (i = 0; i < WIDTH; i++) {
        (void)putchar(c);
    }
    (void)putchar('\n');
}

/* A text that came from elsewhere, without what moves a cursor. */
static void
put_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)putchar((unsigned char)*text < 0x20 || *text == 0x7f ? ' '
                                                                   : *text);
    }
}

/* A text, and another at the right edge; below it if there is no room. */
static void
line(const char *left, const char *right)
{
    size_t width = output_width(left);
    size_t taken = output_width(right);

    (void)fputs(INDENT, stdout);
    put_plain(left);
    if (width + taken >= WIDTH) {
        (void)fputs("\n" INDENT, stdout);
        width = 0;
    }
    for (; width + taken < WIDTH; width++) {
        (void)putchar(' ');
    }
    put_plain(right);
    (void)putchar('\n');
}

static void
item_line(const Petstore__V1__OrderItem *item)
{
    char name[512];
    char price[MONEY_TEXT_SIZE] = "-";

    if (item->price != NULL) {
        money_write(item->price->minor, item->price->currency, price);
    }
    (void)snprintf(name, sizeof(name), "%s, %s", item->name, item->species);
    line(name, price);
}

void
petctl_receipt(const Petstore__V1__Order *order)
{
    char text[MONEY_AMOUNT_SIZE];
    char card[32];
    size_t i;

    rule('=');
    line("RECEIPT", "The Pet Shop");
    rule('-');
    for (i = 0; i < order->n_items; i++) {
        item_line(order->items[i]);
    }
    rule('-');
    petctl_amount(order->total, text);
    line("TOTAL", text);
    (void)snprintf(card, sizeof(card), "card ending in %.4s",
                   order->card_last4);
    line("PAID", card);
    rule('-');
    output_time(order->created_at_ms, text);
    line("date", text);
    line("order", order->id);
    line("payment", order->payment_id);
    rule('=');
}
