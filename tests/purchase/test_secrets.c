/*
 * No card number, password or token in anything that the daemons write: logs
 * that have every call, and the files of the store.
 */
#include "tests/purchase/customers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 512u
#define PETS 4u

/* Whether a file has a text somewhere, written in ASCII. */
static bool
file_has(const char *path, const char *text)
{
    size_t size = strlen(text);
    char *content;
    bool found = false;
    struct stat about;
    FILE *file = fopen(path, "r");
    size_t n;

    cr_assert(file != NULL && fstat(fileno(file), &about) == 0, "%s", path);
    content = malloc((size_t)about.st_size + 1);
    cr_assert_not_null(content);
    n = fread(content, 1, (size_t)about.st_size, file);
    for (size_t i = 0; !found && i + size <= n; i++) {
        found = memcmp(content + i, text, size) == 0;
    }
    free(content);
    (void)fclose(file);
    return found;
}

/* Files below a folder that have a text, but not below one named "in". */
static unsigned
files_with(const char *folder, const char *text, unsigned *n_files)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned n = 0;

    cr_assert_not_null(dir, "%s", folder);
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_SIZE];
        struct stat about;

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "in") == 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        cr_assert_eq(stat(path, &about), 0, "%s", path);
        if (S_ISDIR(about.st_mode)) {
            n += files_with(path, text, n_files);
        } else if (S_ISREG(about.st_mode)) {
            (*n_files)++;
            n += file_has(path, text);
        }
    }
    (void)closedir(dir);
    return n;
}

static void
plant(const struct world *world, const char *text)
{
    char path[PATH_SIZE];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/data/planted", world->folder);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fprintf(file, "before %s behind", text), 0);
    cr_assert_eq(fclose(file), 0);
}

static void
expect_nowhere(const struct world *world, const char *text)
{
    char path[PATH_SIZE];
    unsigned n_files = 0;

    cr_assert_eq(files_with(world->folder, text, &n_files), 0,
                 "'%s' stands in a file", text);
    cr_assert_geq(n_files, 5, "only %u files were searched", n_files);
    plant(world, text);
    cr_assert_eq(files_with(world->folder, text, &n_files), 1,
                 "what was planted is not found");
    (void)snprintf(path, sizeof(path), "%s/data/planted", world->folder);
    cr_assert_eq(remove(path), 0);
}

/* Things that go wrong are logged: a wrong password, a number that is none. */
static void
go_wrong(struct visitor *visitor, const struct card *card)
{
    Petstore__V1__LoginRequest login = PETSTORE__V1__LOGIN_REQUEST__INIT;
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card printed = PETSTORE__V1__CARD__INIT;
    const Petstore__V1__LoginReply *entered = NULL;
    const Petstore__V1__CheckoutReply *paid = NULL;

    login.user = "boss";
    login.password = "a wrong password";
    cr_assert_eq(petstore_login(visitor->call, &login, &entered),
                 RPCRT_UNAUTHENTICATED);
    printed.number = card->number;
    printed.expiry_month = 13;
    printed.expiry_year = 2001;
    request.card = &printed;
    request.idempotency_key = "wrong";
    cr_assert_neq(petstore_checkout(visitor->call, &request, &paid), RPCRT_OK);
}

Test(secrets, stand_in_no_log_and_no_file, .timeout = 120)
{
    const struct world_options options = {.engine = "lmdb",
                                          .rescue_after_ms = 500,
                                          .pay_within_ms = 100,
                                          .log_calls = true};
    static struct told_list told;
    struct card rich;
    struct card poor;
    const struct customers_options buying = {.n_customers = 3,
                                             .n_purchases = 6,
                                             .n_pets = PETS,
                                             .rich = &rich,
                                             .poor = &poor};
    struct books books;
    struct visitor staff;
    struct world world;
    struct customers *customers;

    card_make("492900123456789", 16, &rich);
    card_make("492900987654321", 16, &poor);
    world_open(&world, &options);
    world_issue(&world, &rich, 1000000);
    world_issue(&world, &poor, 1);
    visitor_open(&staff, &world, 1);
    visitor_enter(&staff, "boss", WORLD_STAFF_PASSWORD, false);
    for (unsigned i = 0; i < PETS; i++) {
        visitor_add_pet(&staff, i, 1000);
    }
    go_wrong(&staff, &poor);
    customers = customers_start(&world, &buying);
    customers_end(customers, false);
    customers_take(customers, &told);
    books_check(&world, told.items, told.n_items, &books);
    expect_nowhere(&world, rich.number);
    expect_nowhere(&world, poor.number);
    /* The last four digits may stand somewhere, no more of them. */
    expect_nowhere(&world, rich.number + 8);
    expect_nowhere(&world, CUSTOMERS_PASSWORD);
    expect_nowhere(&world, WORLD_STAFF_PASSWORD);
    expect_nowhere(&world, "a wrong password");
    expect_nowhere(&world, staff.token + strlen("Bearer "));
    expect_nowhere(&world, "kv of shop");
    expect_nowhere(&world, "kv of payment");
    visitor_close(&staff);
    world_close(&world);
}
