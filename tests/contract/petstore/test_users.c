/*
 * Users and their sessions, as petstore.proto promises them: Register, Login
 * and Logout, and who may call what.
 */
#include "tests/contract/petstore/contract.h"
#include "tests/support/access.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD "correct horse"

static enum rpcrt_code
get_cart(struct rpcrt_call *call)
{
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;

    return petstore_get_cart(call, &request, &reply);
}

static enum rpcrt_code
logout(struct rpcrt_call *call)
{
    Petstore__V1__LogoutRequest request = PETSTORE__V1__LOGOUT_REQUEST__INIT;
    const Petstore__V1__LogoutReply *reply;

    return petstore_logout(call, &request, &reply);
}

/* Log in; returns a call of the session. */
static struct rpcrt_call *
session(struct contract *c, const char *user)
{
    char token[128];

    expect_done(c, NOBODY, contract_login(c, user, PASSWORD, token));
    return target_call(&c->target, c->channel, token);
}

static const char *
user_make(struct contract *c, const char *name)
{
    const char *user = contract_name(c, name);

    expect_done(c, NOBODY, contract_register(c, user, PASSWORD));
    return user;
}

/* -- Register -------------------------------------------------------------- */

CONTRACT(a_user_registers_and_logs_in)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;

    request.user = user_make(c, "ann");
    request.password = PASSWORD;
    expect_done(c, NOBODY,
                petstore_login(contract_as(c, NOBODY), &request, &reply));
    cr_assert_geq(strlen(reply->token), 32);
    cr_assert_gt(reply->expires_at_ms, INT64_C(1600000000000));
    cr_assert_not(reply->staff);
}

CONTRACT(the_staff_user_is_known_as_such)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;

    if (c->target.stack == NULL) {
        cr_skip_test("needs its password");
    }
    request.user = STACK_STAFF;
    request.password = STACK_PASSWORD;
    expect_done(c, NOBODY,
                petstore_login(contract_as(c, NOBODY), &request, &reply));
    cr_assert(reply->staff);
    expect_refused(c, NOBODY, RPCRT_ALREADY_EXISTS, "USER_EXISTS",
                   contract_register(c, STACK_STAFF, PASSWORD));
}

CONTRACT(a_name_is_taken_once)
{
    const char *user = user_make(c, "ann");

    expect_refused(c, NOBODY, RPCRT_ALREADY_EXISTS, "USER_EXISTS",
                   contract_register(c, user, PASSWORD));
    expect_refused(c, NOBODY, RPCRT_ALREADY_EXISTS, "USER_EXISTS",
                   contract_register(c, user, "another password"));
    expect_done(c, NOBODY, contract_login(c, user, PASSWORD, NULL));
}

CONTRACT(names_of_users_have_limits)
{
    static const char *const wrong[] = {
        "",        "ab",   "Ann",         "1ann",
        "-ann",    ".ann", "_ann",        "an n",
        "ann\n",   "a/n",  "caf\xc3\xa9", "ann@x.org",
        "ann\x7f", "%s%n", "../ann",      "a234567890123456789012345678901x3"};
    char longest[33];
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused(c, NOBODY, RPCRT_INVALID_ARGUMENT, "USER_NAME_INVALID",
                       contract_register(c, wrong[i], PASSWORD));
    }
    memset(longest, 'z', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memcpy(longest, c->prefix, strlen(c->prefix));
    memcpy(longest + strlen(c->prefix), "._-09az", 7);
    expect_done(c, NOBODY, contract_register(c, longest, PASSWORD));
    expect_done(c, NOBODY, contract_login(c, longest, PASSWORD, NULL));
}

CONTRACT(passwords_have_8_to_256_bytes)
{
    char longest[258];

    memset(longest, 'p', sizeof(longest) - 1);
    longest[257] = '\0';
    expect_refused(c, NOBODY, RPCRT_INVALID_ARGUMENT, "PASSWORD_INVALID",
                   contract_register(c, contract_name(c, "a"), longest));
    expect_refused(c, NOBODY, RPCRT_INVALID_ARGUMENT, "PASSWORD_INVALID",
                   contract_register(c, contract_name(c, "a"), "1234567"));
    expect_refused(c, NOBODY, RPCRT_INVALID_ARGUMENT, "PASSWORD_INVALID",
                   contract_register(c, contract_name(c, "a"), ""));
    longest[256] = '\0';
    expect_done(c, NOBODY,
                contract_register(c, contract_name(c, "a"), longest));
    expect_done(c, NOBODY,
                contract_register(c, contract_name(c, "b"), "12345678"));
    expect_done(c, NOBODY,
                contract_login(c, contract_name(c, "a"), longest, NULL));
    longest[255] = 'q';
    expect_refused(c, NOBODY, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                   contract_login(c, contract_name(c, "a"), longest, NULL));
    longest[255] = '\0';
    expect_refused(c, NOBODY, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                   contract_login(c, contract_name(c, "a"), longest, NULL));
}

/* -- Login ----------------------------------------------------------------- */

CONTRACT(an_unknown_user_and_a_wrong_password_are_answered_alike)
{
    static const char *const wrong[] = {"", "correct hors", "correct horse ",
                                        "Correct horse", "%s%s%n"};
    const char *user = user_make(c, "ann");
    char message[256];
    size_t i;

    expect_refused(
        c, NOBODY, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
        contract_login(c, contract_name(c, "nobody"), PASSWORD, NULL));
    (void)snprintf(message, sizeof(message), "%s",
                   rpcrt_call_message(contract_as(c, NOBODY)));
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_refused(c, NOBODY, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                       contract_login(c, user, wrong[i], NULL));
        cr_assert_str_eq(rpcrt_call_message(contract_as(c, NOBODY)), message);
    }
    expect_refused(c, NOBODY, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                   contract_login(c, "Not A Name/", PASSWORD, NULL));
    cr_assert_str_eq(rpcrt_call_message(contract_as(c, NOBODY)), message);
}

/* -- sessions -------------------------------------------------------------- */

CONTRACT(sessions_are_many_and_end_one_by_one)
{
    const char *user = user_make(c, "ann");
    struct rpcrt_call *first = session(c, user);
    struct rpcrt_call *second = session(c, user);

    expect_call(c, first, RPCRT_OK, get_cart(first));
    expect_call(c, second, RPCRT_OK, get_cart(second));
    expect_call(c, first, RPCRT_OK, logout(first));
    expect_refusal(c, first, RPCRT_UNAUTHENTICATED, "petstore.v1",
                   "SESSION_UNKNOWN", get_cart(first));
    expect_refusal(c, first, RPCRT_UNAUTHENTICATED, "petstore.v1",
                   "SESSION_UNKNOWN", logout(first));
    expect_call(c, second, RPCRT_OK, get_cart(second));
}

CONTRACT_OWN(a_session_ends_by_itself)
{
    struct rpcrt_call *call = session(c, user_make(c, "ann"));

    stack_pass(c->target.stack, CONTRACT_SESSION_MS - 60000);
    expect_call(c, call, RPCRT_OK, get_cart(call));
    stack_pass(c->target.stack, 60001);
    expect_refusal(c, call, RPCRT_UNAUTHENTICATED, "petstore.v1",
                   "SESSION_EXPIRED", get_cart(call));
}

/* -- who may what ---------------------------------------------------------- */

#define CUSTOMERS 1u
#define STAFF_ONLY 2u
#define ALL (CUSTOMERS | STAFF_ONLY)

static const struct access_row rows[] = {
    {"Register", ACCESS_EVERYBODY},
    {"Login", ACCESS_EVERYBODY},
    {"Logout", ALL},
    {"AddPet", STAFF_ONLY},
    {"UpdatePet", STAFF_ONLY},
    {"GetPet", ALL},
    {"ListPets", ALL},
    {"RemovePet", STAFF_ONLY},
    {"AddToCart", ALL},
    {"RemoveFromCart", ALL},
    {"GetCart", ALL},
    {"Checkout", ALL},
    {"GetOrder", ALL},
    {"ListOrders", ALL},
    {"CancelOrder", ALL},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

CONTRACT(every_method_is_for_those_that_it_names)
{
    const struct access_caller callers[] = {
        {"a customer", contract_as(c, ANN), CUSTOMERS},
        {"a staff user", contract_as(c, STAFF), STAFF_ONLY},
        {"a stranger", contract_as(c, STRANGER), 0},
        {"nobody", contract_as(c, NOBODY), 0},
    };

    access_check(c->where, &petstore_rpc, rows, N_ROWS, callers,
                 sizeof(callers) / sizeof(callers[0]));
}

CONTRACT_OWN(a_session_that_has_ended_opens_nothing)
{
    struct rpcrt_call *left = session(c, user_make(c, "ann"));
    struct rpcrt_call *old = session(c, user_make(c, "bob"));
    const struct access_caller callers[] = {
        {"a customer who has left", left, 0},
        {"a customer whose time is over", old, 0},
        {"a staff user whose time is over", contract_as(c, STAFF), 0},
    };

    expect_call(c, left, RPCRT_OK, logout(left));
    stack_pass(c->target.stack, CONTRACT_SESSION_MS + 1);
    access_check(c->where, &petstore_rpc, rows, N_ROWS, callers,
                 sizeof(callers) / sizeof(callers[0]));
}

CONTRACT(a_token_in_another_form_is_none)
{
    static const char *const forms[] = {
        "%s",      "Basic %s",   "Bearer",     "Bearer  %s",
        "Bearer ", "Bearer %s ", "Bearer %sA", "Bearer %.20s"};
    const char *user = user_make(c, "ann");
    struct rpcrt_call *call = target_call(&c->target, c->channel, NULL);
    char token[128];
    size_t i;

    expect_done(c, NOBODY, contract_login(c, user, PASSWORD, token));
    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct access_caller caller = {forms[i], call, 0};
        const char *hole = strchr(forms[i], '%');
        char value[256];

        (void)snprintf(value, sizeof(value), "%s", forms[i]);
        if (hole != NULL) {
            size_t begin = (size_t)(hole - forms[i]);
            size_t length = strstr(hole, ".20") == NULL ? strlen(token) : 20;

            (void)snprintf(value + begin, sizeof(value) - begin, "%.*s%s",
                           (int)length, token, strchr(hole, 's') + 1);
        }
        cr_assert_eq(rpcrt_call_set_metadata_text(call, "authorization", value),
                     RPCRT_OK);
        access_check(c->where, &petstore_rpc, rows, N_ROWS, &caller, 1);
    }
}

CONTRACT(customers_change_no_pets)
{
    Petstore__V1__UpdatePetRequest request =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    const Petstore__V1__UpdatePetReply *reply;
    const char *id = contract_pet(c, "rex", 1000);
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;

    contract_pet_init(c, contract_name(c, "new"), &pet, &price);
    expect_refused(c, ANN, RPCRT_PERMISSION_DENIED, "STAFF_ONLY",
                   contract_add(c, ANN, &pet));
    cr_assert_eq(contract_status(c, pet.id), 0);
    expect_refused(c, ANN, RPCRT_PERMISSION_DENIED, "STAFF_ONLY",
                   contract_remove(c, ANN, id));
    request.pet_id = id;
    request.name = "Max";
    expect_refused(c, ANN, RPCRT_PERMISSION_DENIED, "STAFF_ONLY",
                   petstore_update_pet(contract_as(c, ANN), &request, &reply));
    cr_assert_eq(contract_status(c, id), PETSTORE__V1__PET_STATUS__AVAILABLE);
}
