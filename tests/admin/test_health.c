/*
 * Health, asked once.
 */
#include "admin/zoo.client.h"
#include "grpc/health/v1/health.client.h"
#include "tests/admin/ground.h"

#include <string.h>

TestSuite(health);

static void
expect_status(struct rpcrt_call *call, const char *service,
              enum rpcrt_health_status expected)
{
    enum rpcrt_health_status status = RPCRT_HEALTH_UNKNOWN;

    expect_ok(call, rpcrt_health_check(call, service, &status));
    cr_assert_eq(status, expected, "'%s' is %s", service,
                 rpcrt_health_status_name(status));
}

static void
set(struct ground *ground, const char *service, enum rpcrt_health_status status)
{
    cr_assert_eq(rpcrt_health_set(ground->health, service, status), RPCRT_OK);
}

EACH_GROUND(health, what_is_served_is_serving, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    expect_status(call, "", RPCRT_HEALTH_SERVING);
    expect_status(call, "admin.zoo.Zoo", RPCRT_HEALTH_SERVING);
    expect_status(call, "petstore.v1.Petstore", RPCRT_HEALTH_SERVING);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(health, each_service_has_a_status_of_its_own, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_NOT_SERVING);
    set(&ground, "some.other.Thing", RPCRT_HEALTH_UNKNOWN);
    expect_status(call, "", RPCRT_HEALTH_SERVING);
    expect_status(call, "admin.zoo.Zoo", RPCRT_HEALTH_NOT_SERVING);
    expect_status(call, "some.other.Thing", RPCRT_HEALTH_UNKNOWN);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_SERVING);
    expect_status(call, "admin.zoo.Zoo", RPCRT_HEALTH_SERVING);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(health, a_service_that_nothing_is_known_of_is_not_found, 20)
{
    enum rpcrt_health_status status = RPCRT_HEALTH_UNKNOWN;
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    expect_code(call, RPCRT_NOT_FOUND,
                rpcrt_health_check(call, "no.such.Service", &status));
    cr_assert_eq(status, RPCRT_HEALTH_UNKNOWN);
    set(&ground, "admin.zoo.Zoo", RPCRT_HEALTH_SERVICE_UNKNOWN);
    expect_code(call, RPCRT_NOT_FOUND,
                rpcrt_health_check(call, "admin.zoo.Zoo", &status));
    rpcrt_call_free(call);
    ground_close(&ground);
}

static int
listed_status(const Grpc__Health__V1__HealthListResponse *reply,
              const char *service)
{
    size_t i;

    for (i = 0; i < reply->n_statuses; i++) {
        if (strcmp(reply->statuses[i]->key, service) == 0) {
            return (int)reply->statuses[i]->value->status;
        }
    }
    return -1;
}

EACH_GROUND(health, list_tells_of_every_service_but_the_forgotten, 20)
{
    Grpc__Health__V1__HealthListRequest request;
    const Grpc__Health__V1__HealthListResponse *reply;
    struct ground ground;
    struct rpcrt_call *call;

    grpc__health__v1__health_list_request__init(&request);
    ground_open(&ground, transport, NULL);
    set(&ground, "petstore.v1.Petstore", RPCRT_HEALTH_NOT_SERVING);
    set(&ground, "grpc.reflection.v1.ServerReflection",
        RPCRT_HEALTH_SERVICE_UNKNOWN);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    expect_ok(call, grpc_health_v1_health_list(call, &request, &reply));
    cr_assert_eq(reply->n_statuses, 4);
    cr_assert_eq(listed_status(reply, ""), 1);
    cr_assert_eq(listed_status(reply, "admin.zoo.Zoo"), 1);
    cr_assert_eq(listed_status(reply, "petstore.v1.Petstore"), 2);
    cr_assert_eq(
        listed_status(reply, "grpc.reflection.v1alpha.ServerReflection"), 1);
    rpcrt_call_free(call);
    ground_close(&ground);
}

Test(health, what_was_said_before_serving_holds)
{
    struct ground_options options = {.no_health = true};
    struct ground ground;

    ground_open(&ground, "inproc", &options);
    rpcrt_channel_free(ground.channel);
    rpcrt_server_free(ground.server);

    cr_assert_eq(rpcrt_server_new(NULL, &ground.server), RPCRT_OK);
    set(&ground, "", RPCRT_HEALTH_NOT_SERVING);
    cr_assert_eq(rpcrt_health_serve(ground.server, ground.health), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(ground.server, "inproc://said", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://said", NULL, &ground.channel),
                 RPCRT_OK);
    {
        struct rpcrt_call *call = bed_call(ground.channel, BED_TIMEOUT_MS);

        expect_status(call, "", RPCRT_HEALTH_NOT_SERVING);
        rpcrt_call_free(call);
    }
    ground_close(&ground);
}

Test(health, a_status_that_is_none_is_refused)
{
    struct rpcrt_health *health;

    cr_assert_eq(rpcrt_health_new(&health), RPCRT_OK);
    cr_assert_eq(rpcrt_health_set(health, "", (enum rpcrt_health_status)4),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(rpcrt_health_set(health, "", (enum rpcrt_health_status) - 1),
                 RPCRT_INVALID_ARGUMENT);
    rpcrt_health_free(health);
    rpcrt_health_free(NULL);
}

EACH_GROUND(health, is_answered_while_all_workers_are_busy, 20)
{
    struct ground_options options = {.server = {.workers_max = 1}};
    Admin__Zoo__Keeper request;
    struct ground ground;
    struct rpcrt_call *busy;
    struct rpcrt_call *call;

    admin__zoo__keeper__init(&request);
    ground_open(&ground, transport, &options);
    busy = bed_call(ground.channel, BED_TIMEOUT_MS);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    admin_zoo_zoo_wait_start(busy, &request, NULL, NULL);
    bed_await(&ground.n_waiting, 1);
    expect_status(call, "", RPCRT_HEALTH_SERVING);
    rpcrt_call_free(busy);
    rpcrt_call_free(call);
    ground_close(&ground);
}

EACH_GROUND(health, after_a_shutdown_nothing_serves_again, 20)
{
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    rpcrt_health_shutdown(ground.health);
    set(&ground, "", RPCRT_HEALTH_SERVING);
    expect_status(call, "", RPCRT_HEALTH_NOT_SERVING);
    expect_status(call, "admin.zoo.Zoo", RPCRT_HEALTH_NOT_SERVING);
    rpcrt_call_free(call);
    ground_close(&ground);
}

Test(health, is_served_once_and_before_listening)
{
    struct ground ground;
    struct rpcrt_health *other;

    ground_open(&ground, "inproc", NULL);
    cr_assert_eq(rpcrt_health_new(&other), RPCRT_OK);
    cr_assert_eq(rpcrt_health_serve(ground.server, other),
                 RPCRT_FAILED_PRECONDITION);
    rpcrt_health_free(other);
    ground_close(&ground);
}
