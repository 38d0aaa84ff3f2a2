/*
 * What a server tells of itself to those who look after it.
 */
#include "admin/zoo.server.h"
#include "tests/support/faulty_alloc.h"

#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>

TestSuite(server, .timeout = 20);

static void
count(void *arg)
{
    (*(unsigned *)arg)++;
}

Test(server, tells_everybody_that_it_drains)
{
    struct rpcrt_server *server;
    unsigned first = 0;
    unsigned second = 0;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(rpcrt_server_on_drain(server, count, &first), RPCRT_OK);
    cr_assert_eq(rpcrt_server_on_drain(server, count, &second), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://drains", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_server_on_drain(server, count, &first),
                 RPCRT_FAILED_PRECONDITION);
    cr_assert_eq(rpcrt_server_drain(server, 1000), RPCRT_OK);
    cr_assert_eq(first, 1);
    cr_assert_eq(second, 1);
    rpcrt_server_free(server);
    cr_assert_eq(first, 1);
}

Test(server, lists_its_services_in_the_order_of_adding)
{
    static const struct admin_zoo_zoo_service zoo;
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_null(rpcrt_server_service(server, 0));
    cr_assert_eq(admin_zoo_zoo_serve(server, &zoo, NULL), RPCRT_OK);
    cr_assert_eq(admin_zoo_zoo_serve(server, &zoo, NULL), RPCRT_ALREADY_EXISTS);
    cr_assert_eq(rpcrt_server_service(server, 0), &admin_zoo_zoo_rpc);
    cr_assert_null(rpcrt_server_service(server, 1));
    rpcrt_server_free(server);
}

Test(server, without_memory_stays_as_it_was)
{
    static const struct admin_zoo_zoo_service zoo;
    struct rpcrt_server *server;
    enum rpcrt_code code;
    unsigned drained = 0;
    uint64_t n = 0;
    bool failed;

    faulty_alloc_install();
    do {
        cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
        faulty_alloc_fail_at(n++);
        code = admin_zoo_zoo_serve(server, &zoo, NULL);
        cr_assert_eq(rpcrt_server_service(server, 0),
                     code == RPCRT_OK ? &admin_zoo_zoo_rpc : NULL);
        if (code == RPCRT_OK) {
            code = rpcrt_server_on_drain(server, count, &drained);
        }
        failed = faulty_alloc_failed();
        cr_assert_eq(code, failed ? RPCRT_RESOURCE_EXHAUSTED : RPCRT_OK);
        faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
        rpcrt_server_free(server);
        cr_assert_eq(faulty_alloc_live(), 0);
    } while (failed);
    faulty_alloc_remove();
    cr_assert_eq(n, 4); /* methods, services, the function */
}
