/*
 * Commands of petctl on pets, one at a time and in lists. Whole catalogues are
 * petctl_import.c's.
 */
#include "petctl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_LIMIT_DEFAULT 20u
#define PAGE_SIZE_MAX 100u

int
petctl_price_read(const struct cli *cli, const char *flag, const char *text,
                  int64_t *ret_minor)
{
    const char *currency = petctl_options.currency;

    if (!money_read(text, currency, ret_minor)) {
        return cli_usage(cli,
                         "--%s %s: expected an amount of %s with at most %u "
                         "digits behind the point",
                         flag, text, currency, money_exponent(currency));
    }
    return 0;
}

/* -- list ------------------------------------------------------------------ */

static int
sort_read(const struct cli *cli, Petstore__V1__ListPetsRequest *request)
{
    static const struct {
        const char *name;
        Petstore__V1__ListPetsRequest__Sort sort;
    } sorts[] = {
        {"price", PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE},
        {"-price", PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE_DESCENDING},
        {"name", PETSTORE__V1__LIST_PETS_REQUEST__SORT__NAME},
        {"newest", PETSTORE__V1__LIST_PETS_REQUEST__SORT__NEWEST}};
    size_t i;

    for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        if (petctl_options.sort == NULL ||
            strcmp(petctl_options.sort, sorts[i].name) == 0) {
            request->sort = sorts[i].sort;
            return 0;
        }
    }
    return cli_usage(cli, "--sort %s: expected price, -price, name or newest",
                     petctl_options.sort);
}

/* What the flags ask for; 0 or the exit code. */
static int
filter_read(const struct cli *cli, Petstore__V1__ListPetsRequest *request)
{
    int exit_code = sort_read(cli, request);

    if (exit_code == 0 && petctl_options.min != NULL) {
        exit_code = petctl_price_read(cli, "min", petctl_options.min,
                                      &request->price_min);
    }
    if (exit_code == 0 && petctl_options.max != NULL) {
        exit_code = petctl_price_read(cli, "max", petctl_options.max,
                                      &request->price_max);
    }
    if (petctl_options.species != NULL) {
        request->species = petctl_options.species;
    }
    if (petctl_options.text != NULL) {
        request->text = petctl_options.text;
    }
    request->with_unavailable = petctl_options.unavailable;
    return exit_code;
}

/* Pages until there are enough. Pages may be empty and yet not be the last. */
static int
list_pages(struct cli *cli, const Petstore__V1__ListPetsRequest *filter,
           struct output_table *table, bool *ret_more)
{
    Petstore__V1__ListPetsRequest request = *filter;
    const Petstore__V1__ListPetsReply *reply = NULL;
    uint64_t left = petctl_options.all          ? UINT64_MAX
                    : petctl_options.limit != 0 ? petctl_options.limit
                                                : LIST_LIMIT_DEFAULT;
    char token[CLI_PAGE_TOKEN_SIZE] = "";
    size_t i;

    do {
        request.page_token = token;
        request.page_size =
            left < PAGE_SIZE_MAX ? (uint32_t)left : PAGE_SIZE_MAX;
        if (petstore_list_pets(cli->call, &request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
        for (i = 0; i < reply->n_pets && left > 0; i++, left--) {
            if (cli->json) {
                petctl_json_pet(reply->pets[i]);
                (void)putchar('\n');
            } else {
                petctl_pets_add(table, reply->pets[i]);
            }
        }
        if (!cli_page_keep(cli, reply->next_page_token, token)) {
            return CLI_EXIT_FAILED;
        }
    } while (token[0] != '\0' && left > 0);
    *ret_more = token[0] != '\0';
    return 0;
}

int
petctl_list(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    struct output_table table = {0};
    bool more = false;
    int exit_code = filter_read(cli, &request);

    (void)argc;
    (void)argv;
    if (exit_code == 0 && petctl_options.all && petctl_options.limit != 0) {
        exit_code = cli_usage(cli, "--all and --limit exclude each other");
    }
    if (exit_code != 0 || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (!cli->json) {
        petctl_pets_init(&table);
    }
    exit_code = list_pages(cli, &request, &table, &more);
    if (!cli->json && !output_table_end(&table) && exit_code == 0) {
        exit_code = cli_fail(cli, "out of memory");
    }
    if (more && isatty(STDOUT_FILENO) == 1 && !cli->json) {
        (void)printf("(there are more: --all, --limit N)\n");
    }
    return exit_code;
}

/* -- one pet --------------------------------------------------------------- */

int
petctl_show(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;
    const Petstore__V1__GetPetReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.pet_id = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return petstore_get_pet(cli->call, &request, &reply) == RPCRT_OK
               ? petctl_print_pet(cli, reply->pet)
               : cli_call_failed(cli);
}

int
petctl_add(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;
    const Petstore__V1__AddPetReply *reply = NULL;
    int exit_code;

    (void)argc;
    (void)argv;
    if (petctl_options.species == NULL || petctl_options.name == NULL ||
        petctl_options.price == NULL) {
        return cli_usage(cli, "--species, --name and --price are needed");
    }
    exit_code =
        petctl_price_read(cli, "price", petctl_options.price, &price.minor);
    price.currency = petctl_options.currency;
    pet.price = &price;
    pet.species = petctl_options.species;
    pet.name = petctl_options.name;
    if (petctl_options.description != NULL) {
        pet.description = petctl_options.description;
    }
    if (petctl_options.id != NULL) {
        pet.id = petctl_options.id;
    }
    request.pet = &pet;
    if (exit_code != 0 || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return petstore_add_pet(cli->call, &request, &reply) == RPCRT_OK
               ? petctl_print_pet(cli, reply->pet)
               : cli_call_failed(cli);
}

int
petctl_update(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__UpdatePetReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.pet_id = argv[0];
    if (petctl_options.species != NULL) {
        request.species = petctl_options.species;
    }
    if (petctl_options.name != NULL) {
        request.name = petctl_options.name;
    }
    if (petctl_options.description != NULL) {
        request._description_case =
            PETSTORE__V1__UPDATE_PET_REQUEST___DESCRIPTION_DESCRIPTION;
        request.description = petctl_options.description;
    }
    if (petctl_options.price != NULL) {
        exit_code =
            petctl_price_read(cli, "price", petctl_options.price, &price.minor);
        price.currency = petctl_options.currency;
        request.price = &price;
    }
    if (exit_code != 0 || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return petstore_update_pet(cli->call, &request, &reply) == RPCRT_OK
               ? petctl_print_pet(cli, reply->pet)
               : cli_call_failed(cli);
}

int
petctl_remove(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__RemovePetRequest request =
        PETSTORE__V1__REMOVE_PET_REQUEST__INIT;
    const Petstore__V1__RemovePetReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.pet_id = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (petstore_remove_pet(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (cli->json) {
        (void)puts("{}");
    } else {
        (void)printf("%s is gone\n", argv[0]);
    }
    return 0;
}
