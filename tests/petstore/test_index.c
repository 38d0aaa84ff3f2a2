/*
 * Keys of the indexes: their order, their length, and what can be read from
 * them again. And the rules for texts, which keys rely on.
 */
#include "petstore/index.h"
#include "petstore/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const pieces[] = {
    "a",        "b",  "Z",  " ", "/",
    "0",        "1",  "!",  "-", "~",
    "\xc3\xa4", "00", "0A", ".", "\xf0\x9f\x90\x95"};

#define N_PIECES (sizeof(pieces) / sizeof(pieces[0]))

static void
text_make(char *text, unsigned n)
{
    text[0] = '\0';
    while (n-- > 0) {
        strcat(text, pieces[(size_t)rand() % N_PIECES]);
    }
}

static int
sign(int number)
{
    return (number > 0) - (number < 0);
}

static int
name_order(const char *a, const char *b)
{
    char lower_a[64];
    char lower_b[64];

    (void)strcpy(lower_a, a);
    (void)strcpy(lower_b, b);
    shop_text_lower(lower_a);
    shop_text_lower(lower_b);
    return sign(strcmp(lower_a, lower_b));
}

static Petstore__Record__Pet
pet_make(const char *id, const char *species, const char *name, int64_t price)
{
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;

    pet.id = id;
    pet.species = species;
    pet.name = name;
    pet.price = price;
    pet.added_at_ms = price;
    return pet;
}

Test(index, keys_have_the_order_of_names)
{
    char keys[2][SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
    char names[2][64];
    unsigned i;

    for (i = 0; i < 20000; i++) {
        Petstore__Record__Pet a;
        Petstore__Record__Pet b;
        int order;

        text_make(names[0], 1 + (unsigned)rand() % 6);
        text_make(names[1], 1 + (unsigned)rand() % 6);
        /* Where names are the same, ids decide. */
        a = pet_make("a", "cat", names[0], 1);
        b = pet_make("b", "cat", names[1], 1);
        shop_index_keys(&a, SHOP_SCOPE_ALL, keys[0]);
        shop_index_keys(&b, SHOP_SCOPE_ALL, keys[1]);
        order = name_order(names[0], names[1]);
        cr_assert_eq(
            sign(strcmp(keys[0][SHOP_ORDER_NAME], keys[1][SHOP_ORDER_NAME])),
            order == 0 ? -1 : order, "'%s' and '%s'", names[0], names[1]);
    }
}

Test(index, keys_have_the_order_of_prices)
{
    char keys[2][SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
    unsigned i;

    for (i = 0; i < 1000; i++) {
        int64_t one = (int64_t)rand() << (rand() % 9);
        int64_t two = one + 1 + rand() % 300;
        Petstore__Record__Pet a = pet_make("b", "cat", "x", one);
        Petstore__Record__Pet b = pet_make("a", "cat", "x", two);

        shop_index_keys(&a, SHOP_SCOPE_FREE, keys[0]);
        shop_index_keys(&b, SHOP_SCOPE_FREE, keys[1]);
        cr_assert_lt(
            strcmp(keys[0][SHOP_ORDER_PRICE], keys[1][SHOP_ORDER_PRICE]), 0);
        cr_assert_lt(
            strcmp(keys[0][SHOP_ORDER_NEWEST], keys[1][SHOP_ORDER_NEWEST]), 0);
    }
}

Test(index, the_longest_keys_fit_and_tell_their_pet)
{
    char species[161] = "";
    char name[321] = "";
    char id[65];
    char keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
    Petstore__Record__Pet pet;
    unsigned i;

    (void)memset(species, '/', 40);
    (void)memset(name, ' ', 80);
    (void)memset(id, 'x', 64);
    id[64] = '\0';
    pet = pet_make(id, species, name, INT64_C(1000000000000));
    shop_index_keys(&pet, SHOP_SCOPE_FREE, keys);
    for (i = 0; i < SHOP_INDEX_KEYS; i++) {
        cr_assert_leq(strlen(keys[i]), 256);
        cr_assert_str_eq(shop_index_id(keys[i]), id);
    }
}

Test(index, a_list_has_its_species_and_no_other)
{
    char text[64];
    char prefix[SHOP_INDEX_KEY_SIZE];
    char keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
    unsigned i;
    unsigned j;

    for (i = 0; i < 5000; i++) {
        char other[64];
        Petstore__Record__Pet pet;
        bool listed = false;

        text_make(text, 1 + (unsigned)rand() % 2);
        text_make(other, 1 + (unsigned)rand() % 2);
        shop_text_lower(text);
        shop_text_lower(other);
        pet = pet_make("id", text, "name", 5);
        shop_index_keys(&pet, SHOP_SCOPE_ALL, keys);
        shop_index_prefix(SHOP_SCOPE_ALL, SHOP_ORDER_PRICE, other, prefix);
        for (j = 0; j < SHOP_INDEX_KEYS; j++) {
            listed = listed || strncmp(keys[j], prefix, strlen(prefix)) == 0;
        }
        cr_assert_eq(listed, strcmp(text, other) == 0, "'%s' in '%s'", text,
                     other);
    }
}

Test(index, a_price_begins_a_span)
{
    char prefix[SHOP_INDEX_KEY_SIZE];
    char first[SHOP_INDEX_KEY_SIZE];
    char keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
    int64_t price;

    shop_index_prefix(SHOP_SCOPE_ALL, SHOP_ORDER_PRICE, NULL, prefix);
    shop_index_price(prefix, 100, first);
    for (price = 98; price < 103; price++) {
        Petstore__Record__Pet pet = pet_make("id", "cat", "name", price);

        shop_index_keys(&pet, SHOP_SCOPE_ALL, keys);
        cr_assert_eq(strcmp(keys[SHOP_ORDER_PRICE], first) >= 0, price >= 100);
    }
}

Test(text, counts_characters_not_bytes)
{
    cr_assert(shop_text_ok("\xc3\xa4\xf0\x9f\x90\x95", 2, 2));
    cr_assert_not(shop_text_ok("\xc3\xa4\xf0\x9f\x90\x95", 3, 9));
    cr_assert_not(shop_text_ok("\xc3\xa4\xf0\x9f\x90\x95", 0, 1));
    cr_assert(shop_text_ok("", 0, 1));
    cr_assert_not(shop_text_ok("", 1, 1));
}

Test(text, has_no_controls)
{
    static const char *const bad[] = {"a\nb",     "\t",        "\x7f",
                                      "\xc2\x80", "a\xc2\x9f", "\x01"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(shop_text_ok(bad[i], 0, 10), "text %zu", i);
    }
    cr_assert(shop_text_ok("\xc2\xa0~ ", 3, 3));
}

Test(text, is_found_in_either_case)
{
    cr_assert(shop_text_has("A Small CAT", "cat"));
    cr_assert(shop_text_has("cacat", "cat"));
    cr_assert(shop_text_has("", ""));
    cr_assert(shop_text_has("x", ""));
    cr_assert_not(shop_text_has("ca", "cat"));
    cr_assert_not(shop_text_has("", "c"));
    cr_assert_not(shop_text_has("c at", "cat"));
}
