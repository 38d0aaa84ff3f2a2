/*
 * Pets one by one, as petstore.proto promises them: AddPet, UpdatePet, GetPet
 * and RemovePet.
 */
#include "tests/contract/petstore/contract.h"

#include <stdio.h>
#include <string.h>

/* -- AddPet ---------------------------------------------------------------- */

static const Petstore__V1__Pet *
get(struct contract *c, const char *id)
{
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;
    const Petstore__V1__GetPetReply *reply;

    request.pet_id = id;
    expect_done(c, ANN,
                petstore_get_pet(contract_as(c, ANN), &request, &reply));
    return reply->pet;
}

CONTRACT(a_pet_is_taken_in_and_read)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    const Petstore__V1__AddPetReply *reply;
    const Petstore__V1__Pet *read;
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;
    char species[41] = "PARROT of ";

    (void)strcat(species, c->prefix);
    contract_pet_init(c, contract_name(c, "polly"), &pet, &price);
    pet.species = species;
    request.pet = &pet;
    expect_done(c, STAFF,
                petstore_add_pet(contract_as(c, STAFF), &request, &reply));
    cr_assert_str_eq(reply->pet->id, pet.id);
    cr_assert_eq(reply->pet->status, PETSTORE__V1__PET_STATUS__AVAILABLE);
    memcpy(species, "parrot", 6);
    read = get(c, pet.id);
    cr_assert_str_eq(read->id, pet.id);
    cr_assert_str_eq(read->species, species);
    cr_assert_str_eq(read->name, "Rex");
    cr_assert_str_eq(read->description, "Barks.");
    cr_assert_eq(read->price->minor, 1000);
    cr_assert_str_eq(read->price->currency, "EUR");
    cr_assert_eq(read->status, PETSTORE__V1__PET_STATUS__AVAILABLE);
}

CONTRACT(the_shop_makes_an_id_where_there_is_none)
{
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    const Petstore__V1__AddPetReply *reply;
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;
    char first[80];

    contract_pet_init(c, "", &pet, &price);
    request.pet = &pet;
    expect_done(c, STAFF,
                petstore_add_pet(contract_as(c, STAFF), &request, &reply));
    (void)snprintf(first, sizeof(first), "%s", reply->pet->id);
    cr_assert_neq(first[0], '\0');
    expect_done(c, STAFF,
                petstore_add_pet(contract_as(c, STAFF), &request, &reply));
    cr_assert_str_neq(reply->pet->id, first);
    cr_assert_str_eq(get(c, first)->name, "Rex");
}

CONTRACT(a_repeat_adds_nothing_and_another_pet_is_refused)
{
    Petstore__V1__Pet pet;
    Petstore__V1__Pet other;
    Petstore__V1__Money price;

    contract_pet_init(c, contract_name(c, "rex"), &pet, &price);
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    other = pet;
    other.name = "Max";
    expect_refused(c, STAFF, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   contract_add(c, STAFF, &other));
    other = pet;
    other.species = "another";
    expect_refused(c, STAFF, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   contract_add(c, STAFF, &other));
    other = pet;
    other.description = "";
    expect_refused(c, STAFF, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   contract_add(c, STAFF, &other));
    price.minor = 999;
    expect_refused(c, STAFF, RPCRT_ALREADY_EXISTS, "PET_EXISTS",
                   contract_add(c, STAFF, &pet));
    cr_assert_eq(get(c, pet.id)->price->minor, 1000);
}

/* -- rules ----------------------------------------------------------------- */

/* What breaks a rule; NULL and 0 stand for what is in order. */
static const struct wrong {
    const char *id;
    const char *species;
    const char *name;
    const char *description;
    const char *currency;
    int64_t price;
} wrongs[] = {
    {.id = "a b"},
    {.id = "a/b"},
    {.id = "a\n"},
    {.id = "caf\xc3\xa9"},
    {.id = "%s%n"},
    {.id = "01234567890123456789012345678901234567890123456789012345678901234"},
    {.species = ""},
    {.species = "cat\n"},
    {.species = "\x7f"},
    {.species = "01234567890123456789012345678901234567890"},
    {.name = ""},
    {.name = "Rex\t"},
    {.name = "\x1b[31mRex"},
    {.name = "\xc2\x85"},
    {.name = "012345678901234567890123456789012345678901234567890123456789"
             "012345678901234567890"},
    {.description = "two\nlines"},
    {.description = "\x01"},
    {.currency = "USD"},
    {.currency = "eur"},
    {.currency = ""},
    {.price = -1},
    {.price = INT64_MIN},
    {.price = INT64_MAX},
    {.price = PRICE_MAX + 1},
};

CONTRACT(a_pet_that_breaks_a_rule_is_not_taken_in)
{
    size_t i;

    for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        const struct wrong *wrong = &wrongs[i];
        Petstore__V1__Pet pet;
        Petstore__V1__Money price;

        contract_pet_init(c, contract_name(c, "rex"), &pet, &price);
        pet.id = wrong->id == NULL ? pet.id : wrong->id;
        pet.species = wrong->species == NULL ? pet.species : wrong->species;
        pet.name = wrong->name == NULL ? pet.name : wrong->name;
        pet.description =
            wrong->description == NULL ? pet.description : wrong->description;
        price.currency =
            wrong->currency == NULL ? price.currency : wrong->currency;
        price.minor = wrong->price == 0 ? price.minor : wrong->price;
        expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                       contract_add(c, STAFF, &pet));
    }
    cr_assert_eq(contract_status(c, contract_name(c, "rex")), 0);
}

CONTRACT(a_pet_has_a_price)
{
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;

    contract_pet_init(c, contract_name(c, "rex"), &pet, &price);
    price.minor = 0;
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   contract_add(c, STAFF, &pet));
    pet.price = NULL;
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   contract_add(c, STAFF, &pet));
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   contract_add(c, STAFF, NULL));
}

/* So many characters of two bytes. */
static void
fill(char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    }
    text[2 * n] = '\0';
}

CONTRACT(limits_are_counted_in_characters_and_are_within)
{
    const Petstore__V1__Pet *read;
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;
    char id[65];
    char species[81];
    char name[161];
    char description[2003];

    fill(species, 40);
    fill(name, 80);
    fill(description, 1000);
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    memcpy(id, c->prefix, strlen(c->prefix));
    memcpy(id + strlen(c->prefix), "-_.AZaz09", 9);
    contract_pet_init(c, id, &pet, &price);
    pet.species = species;
    pet.name = name;
    pet.description = description;
    price.minor = PRICE_MAX;
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    read = get(c, id);
    cr_assert_str_eq(read->species, species);
    cr_assert_str_eq(read->name, name);
    cr_assert_str_eq(read->description, description);
    cr_assert_eq(read->price->minor, PRICE_MAX);
    fill(description, 1001);
    pet.id = contract_name(c, "more");
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   contract_add(c, STAFF, &pet));
    expect_done(c, STAFF, contract_remove(c, STAFF, id));
}

CONTRACT(texts_come_back_as_they_were)
{
    static const char *const texts[] = {
        "%s%n%d",
        "'; DROP TABLE pets; --",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "\"quoted\" \\back\\",
        " blanks around ",
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
        "\xf0\x9f\x90\xb6\xf0\x9f\x8f\xbd",
        "e\xcc\x81",
        "a/b/c",
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const Petstore__V1__Pet *read;
        Petstore__V1__Pet pet;
        Petstore__V1__Money price;
        char name[16];

        (void)snprintf(name, sizeof(name), "%zu", i);
        contract_pet_init(c, contract_name(c, name), &pet, &price);
        pet.name = texts[i];
        pet.description = texts[i];
        expect_done(c, STAFF, contract_add(c, STAFF, &pet));
        read = get(c, pet.id);
        cr_assert_str_eq(read->name, texts[i]);
        cr_assert_str_eq(read->description, texts[i]);
    }
}

/* -- GetPet ---------------------------------------------------------------- */

CONTRACT(pets_that_never_were_are_unknown)
{
    static const char *const ids[] = {
        "", "x/y", "%s%n", "../user/keeper", "\xc3\xa9", "a b"};
    Petstore__V1__GetPetRequest request = PETSTORE__V1__GET_PET_REQUEST__INIT;
    const Petstore__V1__GetPetReply *reply;
    size_t i;

    request.pet_id = contract_name(c, "nobody");
    expect_refused(c, ANN, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   petstore_get_pet(contract_as(c, ANN), &request, &reply));
    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        request.pet_id = ids[i];
        expect_refused(c, ANN, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                       petstore_get_pet(contract_as(c, ANN), &request, &reply));
    }
}

/* -- UpdatePet and RemovePet ----------------------------------------------- */

static enum rpcrt_code
update(struct contract *c, Petstore__V1__UpdatePetRequest *request)
{
    const Petstore__V1__UpdatePetReply *reply;

    return petstore_update_pet(contract_as(c, STAFF), request, &reply);
}

CONTRACT(only_what_is_given_is_changed)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const char *id = contract_pet(c, "rex", 1000);
    const Petstore__V1__Pet *pet;

    request.pet_id = id;
    expect_done(c, STAFF, update(c, &request));
    request.name = "Max";
    expect_done(c, STAFF, update(c, &request));
    pet = get(c, id);
    cr_assert_str_eq(pet->name, "Max");
    cr_assert_str_eq(pet->description, "Barks.");
    cr_assert_str_eq(pet->species, c->prefix);
    cr_assert_eq(pet->price->minor, 1000);
    request.name = "";
    petstore__v1__update_pet_request__set_description(&request, "");
    price.minor = 7;
    price.currency = "EUR";
    request.price = &price;
    request.species = "DOG";
    expect_done(c, STAFF, update(c, &request));
    pet = get(c, id);
    cr_assert_str_eq(pet->name, "Max");
    cr_assert_str_eq(pet->description, "");
    cr_assert_str_eq(pet->species, "dog");
    cr_assert_eq(pet->price->minor, 7);
}

CONTRACT(a_change_that_breaks_a_rule_changes_nothing)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const char *id = contract_pet(c, "rex", 1000);

    request.pet_id = id;
    request.name = "Max";
    price.currency = "EUR";
    request.price = &price;
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   update(c, &request));
    price.minor = 5;
    price.currency = "USD";
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   update(c, &request));
    request.price = NULL;
    petstore__v1__update_pet_request__set_description(&request, "\x01");
    expect_refused(c, STAFF, RPCRT_INVALID_ARGUMENT, "PET_INVALID",
                   update(c, &request));
    cr_assert_str_eq(get(c, id)->name, "rex");
    request.pet_id = contract_name(c, "nobody");
    petstore__v1__update_pet_request__set_description(&request, NULL);
    expect_refused(c, STAFF, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   update(c, &request));
}

CONTRACT(a_removed_pet_is_gone)
{
    const char *id = contract_pet(c, "rex", 1000);

    expect_done(c, STAFF, contract_remove(c, STAFF, id));
    cr_assert_eq(contract_status(c, id), 0);
    expect_refused(c, STAFF, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   contract_remove(c, STAFF, id));
    expect_refused(c, ANN, RPCRT_NOT_FOUND, "PET_UNKNOWN",
                   contract_put(c, ANN, id));
}

CONTRACT(reserved_and_sold_pets_stay_as_they_are)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    struct card card = contract_card(c, 5000, "EUR");
    const char *ids[2];
    int i;

    ids[0] = contract_declined(c, ANN, "reserved");
    ids[1] = contract_bought(c, BOB, "sold", &card);
    cr_assert_eq(contract_status(c, ids[0]),
                 PETSTORE__V1__PET_STATUS__RESERVED);
    cr_assert_eq(contract_status(c, ids[1]), PETSTORE__V1__PET_STATUS__SOLD);
    for (i = 0; i < 2; i++) {
        request.pet_id = ids[i];
        request.name = "Max";
        expect_refused(c, STAFF, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                       update(c, &request));
        expect_refused(c, STAFF, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                       contract_remove(c, STAFF, ids[i]));
        expect_refused(c, BOB, RPCRT_FAILED_PRECONDITION, "PET_NOT_AVAILABLE",
                       contract_put(c, BOB, ids[i]));
        cr_assert_str_neq(get(c, ids[i])->name, "Max");
    }
}
