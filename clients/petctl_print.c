/*
 * What petctl prints of pets and orders: see petctl.h. The receipt is in
 * petctl_receipt.c.
 */
#include "petctl.h"

#include <stdio.h>
#include <string.h>

static const char *
pet_status(const Petstore__V1__Pet *pet)
{
    return output_enum(&petstore__v1__pet_status__descriptor, (int)pet->status);
}

const char *
petctl_order_state(const Petstore__V1__Order *order)
{
    return output_enum(&petstore__v1__order_state__descriptor,
                       (int)order->state);
}

void
petctl_amount(const Petstore__V1__Money *money,
              char ret_text[MONEY_AMOUNT_SIZE])
{
    if (money != NULL) {
        money_amount(money->minor, money->currency, ret_text);
    } else {
        (void)snprintf(ret_text, MONEY_AMOUNT_SIZE, "-");
    }
}

/* -- JSON ------------------------------------------------------------------ */

void
petctl_json_money(struct output_json *json, const char *name,
                  const Petstore__V1__Money *money)
{
    if (money != NULL) {
        output_json_money(json, name, money->minor, money->currency);
    }
}

void
petctl_json_pet(const Petstore__V1__Pet *pet)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_text(&json, "id", pet->id);
    output_json_text(&json, "species", pet->species);
    output_json_text(&json, "name", pet->name);
    petctl_json_money(&json, "price", pet->price);
    output_json_text(&json, "description", pet->description);
    output_json_text(&json, "status", pet_status(pet));
    output_json_end(&json);
}

static void
json_item(const Petstore__V1__OrderItem *item)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_text(&json, "pet_id", item->pet_id);
    output_json_text(&json, "species", item->species);
    output_json_text(&json, "name", item->name);
    petctl_json_money(&json, "price", item->price);
    output_json_end(&json);
}

void
petctl_json_order(const Petstore__V1__Order *order)
{
    struct output_json json;
    size_t i;

    output_json_begin(&json);
    output_json_text(&json, "id", order->id);
    output_json_text(&json, "state", petctl_order_state(order));
    output_json_name(&json, "items");
    (void)putchar('[');
    for (i = 0; i < order->n_items; i++) {
        if (i > 0) {
            (void)putchar(',');
        }
        json_item(order->items[i]);
    }
    (void)putchar(']');
    petctl_json_money(&json, "total", order->total);
    output_json_number(&json, "attempts", order->attempts);
    output_json_text(&json, "payment_id", order->payment_id);
    output_json_text(&json, "card_last4", order->card_last4);
    output_json_text(&json, "decline_reason", order->decline_reason);
    output_json_text(&json, "decline_message", order->decline_message);
    output_json_signed(&json, "created_at_ms", order->created_at_ms);
    output_json_signed(&json, "pay_until_ms", order->pay_until_ms);
    output_json_end(&json);
}

/* -- tables ---------------------------------------------------------------- */

static void
text_add(struct output_table *table, const char *text)
{
    output_table_bytes(table, (const uint8_t *)text, strlen(text));
}

/* A row "what, is", if there is something to tell. */
static void
row_add(struct output_table *table, const char *name, const char *text)
{
    if (text[0] != '\0') {
        output_table_text(table, name);
        text_add(table, text);
    }
}

static const char *const what_is[] = {"WHAT", "IS"};

int
petctl_print_pet(const struct cli *cli, const Petstore__V1__Pet *pet)
{
    struct output_table table;
    char price[MONEY_AMOUNT_SIZE];

    if (pet == NULL) {
        return cli_fail(cli, "%s: a reply without a pet", cli->address);
    }
    if (cli->json) {
        petctl_json_pet(pet);
        (void)putchar('\n');
        return 0;
    }
    petctl_amount(pet->price, price);
    output_table_init(&table, what_is, 2);
    row_add(&table, "pet", pet->id);
    row_add(&table, "species", pet->species);
    row_add(&table, "name", pet->name);
    row_add(&table, "price", price);
    row_add(&table, "status", pet_status(pet));
    row_add(&table, "description", pet->description);
    return output_table_end(&table) ? 0 : cli_fail(cli, "out of memory");
}

/* What an order has, and the pets of it, a row each. */
static bool
print_order_table(const Petstore__V1__Order *order)
{
    struct output_table table;
    char text[MONEY_AMOUNT_SIZE];
    char pet[512];
    size_t i;

    output_table_init(&table, what_is, 2);
    row_add(&table, "order", order->id);
    row_add(&table, "state", petctl_order_state(order));
    output_time(order->created_at_ms, text);
    row_add(&table, "made", text);
    for (i = 0; i < order->n_items; i++) {
        const Petstore__V1__OrderItem *item = order->items[i];

        petctl_amount(item->price, text);
        (void)snprintf(pet, sizeof(pet), "%s, %s, %s", item->name,
                       item->species, text);
        row_add(&table, "pet", pet);
    }
    petctl_amount(order->total, text);
    row_add(&table, "total", text);
    row_add(&table, "card", order->card_last4);
    row_add(&table, "payment", order->payment_id);
    row_add(&table, "declined", order->decline_reason);
    row_add(&table, "because", order->decline_message);
    if (order->state == PETSTORE__V1__ORDER_STATE__DECLINED) {
        output_time(order->pay_until_ms, text);
        row_add(&table, "pay until", text);
    }
    return output_table_end(&table);
}

int
petctl_print_order(const struct cli *cli, const Petstore__V1__Order *order)
{
    if (order == NULL) {
        return cli_fail(cli, "%s: a reply without an order", cli->address);
    }
    if (cli->json) {
        petctl_json_order(order);
        (void)putchar('\n');
        return 0;
    }
    return print_order_table(order) ? 0 : cli_fail(cli, "out of memory");
}

void
petctl_pets_init(struct output_table *table)
{
    static const char *const headings[] = {"PET", "SPECIES", "NAME", "PRICE",
                                           "STATUS"};

    output_table_init(table, headings, 5);
    output_table_right(table, 3);
}

void
petctl_pets_add(struct output_table *table, const Petstore__V1__Pet *pet)
{
    char price[MONEY_AMOUNT_SIZE];

    petctl_amount(pet->price, price);
    text_add(table, pet->id);
    text_add(table, pet->species);
    text_add(table, pet->name);
    output_table_text(table, price);
    output_table_text(table, pet_status(pet));
}

void
petctl_orders_init(struct output_table *table)
{
    static const char *const headings[] = {"ORDER", "STATE", "PETS", "TOTAL",
                                           "MADE"};

    output_table_init(table, headings, 5);
    output_table_right(table, 2);
    output_table_right(table, 3);
}

void
petctl_orders_add(struct output_table *table, const Petstore__V1__Order *order)
{
    char text[MONEY_AMOUNT_SIZE];

    output_table_text(table, order->id);
    output_table_text(table, petctl_order_state(order));
    output_table_number(table, order->n_items);
    petctl_amount(order->total, text);
    output_table_text(table, text);
    output_time(order->created_at_ms, text);
    output_table_text(table, text);
}
