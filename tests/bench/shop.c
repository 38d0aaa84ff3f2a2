/*
 * Clients of the bench "shop". FOLDER is where the driver has written who
 * listens where (shop_stack.h); figures are printed as by load_print().
 *
 *   shop load FOLDER PETS                add pets
 *   shop list FOLDER PETS SECONDS KIND   one page again and again
 *   shop buy FOLDER CUSTOMERS SECONDS    as many purchases as can be made
 *   shop count FOLDER CUSTOMERS PURCHASES
 *        print a line, wait for one, make so many purchases, and print their
 *        "seconds", "cpu_seconds" of this client, and "revisions"
 */
#include "bench/shop_buy.h"
#include "bench/shop_client.h"
#include "bench/shop_list.h"
#include "bench/shop_pets.h"
#include "bench/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
load(struct shop_client *client, uint64_t n_pets)
{
    double per_s = shop_pets_add(client, 0, n_pets, "pets");

    printf("calls_per_s %.1f\n", per_s);
}

static void
buy(struct shop_client *client, unsigned n_customers, double seconds)
{
    struct shop_customers *customers = shop_customers_new(client, n_customers);

    shop_buy_measure(customers, seconds);
    shop_customers_free(customers);
}

static void
count(struct shop_client *client, unsigned n_customers, uint64_t n_purchases)
{
    struct shop_customers *customers = shop_customers_new(client, n_customers);
    clock_t cpu;
    uint64_t revision;
    double began_s;
    char line[16];

    shop_buy_prepare(customers, n_purchases);
    revision = shop_revision(client);
    printf("ready\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        subject_fail("the driver has gone");
    }
    began_s = shop_now_s();
    cpu = clock();
    shop_buy_some(customers, n_purchases);
    cpu = clock() - cpu;
    printf("seconds %.6f\n", shop_now_s() - began_s);
    printf("cpu_seconds %.6f\n", (double)cpu / CLOCKS_PER_SEC);
    printf("revisions %llu\n",
           (unsigned long long)(shop_revision(client) - revision));
    shop_customers_free(customers);
}

int
main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    struct shop_client client;

    if (!(argc == 4 && strcmp(command, "load") == 0) &&
        !(argc == 6 && strcmp(command, "list") == 0) &&
        !(argc == 5 &&
          (strcmp(command, "buy") == 0 || strcmp(command, "count") == 0))) {
        fprintf(stderr,
                "Usage: %s load FOLDER PETS\n"
                "       %s list FOLDER PETS SECONDS KIND\n"
                "       %s buy FOLDER CUSTOMERS SECONDS\n"
                "       %s count FOLDER CUSTOMERS PURCHASES\n",
                argv[0], argv[0], argv[0], argv[0]);
        return 2;
    }
    shop_client_open(&client, argv[2]);
    if (strcmp(command, "load") == 0) {
        load(&client, strtoull(argv[3], NULL, 10));
    } else if (strcmp(command, "list") == 0) {
        shop_list_measure(&client, argv[5], strtoull(argv[3], NULL, 10),
                          strtod(argv[4], NULL));
    } else if (strcmp(command, "buy") == 0) {
        buy(&client, (unsigned)strtoul(argv[3], NULL, 10),
            strtod(argv[4], NULL));
    } else {
        count(&client, (unsigned)strtoul(argv[3], NULL, 10),
              strtoull(argv[4], NULL, 10));
    }
    shop_client_close(&client);
    return 0;
}
