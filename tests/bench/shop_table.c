/*
 * The tables of the bench "shop" and, under them, what is expected.
 */
#include "bench/results.h"
#include "bench/shop_bench.h"
#include "bench/table.h"

#include <stddef.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TRIPS_MAX 12.0
#define LOOKED_AT_MAX 1000.0
#define RATIO_MAX 2.0

static const unsigned customers[] = {1, 8, 64};
static const char *const engines[] = {"memory", "lmdb"};

/* A kind of page, in words. */
struct page {
    const char *metric;
    const char *words;
    int same; /* the same work, however many pets there are */
};

static const struct page pages[] = {
    {"first_p50_us", "first of all", 1},
    {"deep_p50_us", "in the middle of all", 1},
    {"filtered_p50_us", "species, price, available", 1},
    {"nothing_p50_us", "a text that no pet has", 0},
};

static const char *
verdict(int good)
{
    return good ? "ok" : "NOT ok";
}

static void
buy_print(unsigned rounds, double seconds)
{
    printf("\nshop: petstored, paymentd (TLS) and kvd, TCP loopback; customers "
           "who put a pet into\ntheir cart and check out, again and again; "
           "medians of %u x %.1f s. p50 and p99: of\nCheckout alone.\n\n",
           rounds, seconds);
    printf("%9s %-8s %12s %10s %10s\n", "customers", "engine", "purchases/s",
           "p50 us", "p99 us");
    for (size_t c = 0; c < COUNT(customers); c++) {
        for (size_t e = 0; e < COUNT(engines); e++) {
            printf("%9u %-8s", customers[c], engines[e]);
            table_value("shop", "purchases_per_s", customers[c], engines[e], 12,
                        0);
            table_value("shop", "checkout_p50_us", customers[c], engines[e], 10,
                        1);
            table_value("shop", "checkout_p99_us", customers[c], engines[e], 10,
                        1);
            printf("\n");
        }
    }
}

static void
cost_print(void)
{
    double value;

    printf("\nRound trips to kvd of a Checkout, by whom, and its calls to "
           "paymentd; round trips of\nan AddToCart. A purchase (both) on lmdb: "
           "revisions, and how often kvd waits for the\ndisk (a commit: once "
           "for the data, once for the page that makes it valid; \"-\": no\n"
           "strace here).\n\n");
    printf("%9s %9s %10s %9s %9s %10s %10s %7s\n", "customers", "Checkout",
           "petstored", "paymentd", "payments", "AddToCart", "revisions",
           "syncs");
    for (size_t c = 0; c < COUNT(customers); c++) {
        unsigned n = customers[c];

        printf("%9u", n);
        table_value("shop-cost", "trips", n, "checkout", 9, 2);
        table_value("shop-cost", "shop_trips", n, "checkout", 10, 2);
        table_value("shop-cost", "payment_trips", n, "checkout", 9, 2);
        table_value("shop-cost", "payments", n, "checkout", 9, 2);
        table_value("shop-cost", "trips", n, "cart", 10, 2);
        table_value("shop-cost", "revisions", n, "purchase", 10, 2);
        table_value("shop-cost", "syncs", n, "purchase", 7, 2);
        printf("\n");
    }
    printf("\nExpected:\n");
    for (size_t c = 0; c < COUNT(customers); c++) {
        if (results_get("shop-cost", "trips", customers[c], "checkout",
                        &value)) {
            printf("  a Checkout, %2u customers: %.2f round trips to kvd, at "
                   "most %.0f: %s\n",
                   customers[c], value, TRIPS_MAX, verdict(value <= TRIPS_MAX));
        }
    }
}

static void
time_print(void)
{
    static const char *const metrics[] = {"wall_us", "kvd_us", "paymentd_us",
                                          "petstored_us", "client_us"};

    printf("\nWhere the time of a purchase goes: us of all customers' time "
           "together (1 / purchases\na second), and us of processor that each "
           "program takes for it.\n\n");
    printf("%9s %-8s %10s %10s %10s %10s %10s\n", "customers", "engine",
           "purchase", "kvd", "paymentd", "petstored", "client");
    for (size_t c = 0; c < COUNT(customers); c++) {
        for (size_t e = 0; e < COUNT(engines); e++) {
            printf("%9u %-8s", customers[c], engines[e]);
            for (size_t m = 0; m < COUNT(metrics); m++) {
                table_value("shop-time", metrics[m], customers[c], engines[e],
                            10, 0);
            }
            printf("\n");
        }
    }
}

/* How many times as long a page takes with many pets; false: not measured. */
static int
ratio_of(const struct page *page, const char *engine, unsigned many,
         double *ret_ratio)
{
    double few;
    double more;

    if (!results_get("shop-list", page->metric, SHOP_PETS_FEW, engine, &few) ||
        !results_get("shop-list", page->metric, many, engine, &more) ||
        few <= 0) {
        return 0;
    }
    *ret_ratio = more / few;
    return 1;
}

static void
list_print(unsigned many)
{
    printf("\nListPets, 20 pets a page, one caller: p50 in us with %u pets and "
           "with %u. AddPet: a\nsecond, 128 in flight.\n\n",
           SHOP_PETS_FEW, many);
    printf("%-26s %-8s %10s %10s %8s\n", "page", "engine", "few", "many",
           "ratio");
    for (size_t i = 0; i < COUNT(pages); i++) {
        for (size_t e = 0; e < COUNT(engines); e++) {
            double ratio;

            printf("%-26s %-8s", pages[i].words, engines[e]);
            table_value("shop-list", pages[i].metric, SHOP_PETS_FEW, engines[e],
                        10, 1);
            table_value("shop-list", pages[i].metric, many, engines[e], 10, 1);
            if (ratio_of(&pages[i], engines[e], many, &ratio)) {
                printf(" %8.2f", ratio);
            }
            printf("\n");
        }
    }
    for (size_t e = 0; e < COUNT(engines); e++) {
        printf("%-26s %-8s", "AddPet", engines[e]);
        table_value("shop-list", "added_per_s", SHOP_PETS_FEW, engines[e], 10,
                    0);
        table_value("shop-list", "added_per_s", many, engines[e], 10, 0);
        printf("\n");
    }
}

static void
list_goals_print(unsigned many)
{
    double value;

    printf("\nExpected:\n");
    for (size_t i = 0; i < COUNT(pages); i++) {
        for (size_t e = 0; e < COUNT(engines); e++) {
            if (pages[i].same &&
                ratio_of(&pages[i], engines[e], many, &value)) {
                printf("  %-26s %-8s %5.2f x the time with %u pets, below "
                       "%.1f: %s\n",
                       pages[i].words, engines[e], value, SHOP_PETS_FEW,
                       RATIO_MAX, verdict(value < RATIO_MAX));
            }
        }
    }
    for (size_t e = 0; e < COUNT(engines); e++) {
        if (results_get("shop-list", "looked_at", many, engines[e], &value)) {
            printf("  %-26s %-8s %5.0f pets looked at a page, at most %.0f: "
                   "%s\n",
                   pages[COUNT(pages) - 1].words, engines[e], value,
                   LOOKED_AT_MAX, verdict(value <= LOOKED_AT_MAX));
        }
    }
}

void
table_shop(unsigned rounds, double seconds)
{
    buy_print(rounds, seconds);
    cost_print();
    time_print();
    list_print(shop_pets_many());
    list_goals_print(shop_pets_many());
}
