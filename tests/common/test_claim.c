/*
 * A namespace belongs to one service.
 */
#include "common/claim.h"
#include "tests/common/store_ground.h"

#include <string.h>

static struct ground ground;
static struct common_error error;

static void
claim_begin(void)
{
    ground_open(&ground, 0, 0);
    error = (struct common_error){.text = ""};
}

static void
claim_end(void)
{
    ground_close(&ground);
}

TestSuite(claim, .init = claim_begin, .fini = claim_end, .timeout = 60);

static enum rpcrt_code
claim(const char *service)
{
    return common_store_claim(ground.store, service, &error);
}

Test(claim, is_the_first_ones_and_stays)
{
    cr_expect_eq(claim("payment"), RPCRT_OK, "%s", error.text);
    cr_expect_eq(claim("payment"), RPCRT_OK, "%s", error.text);
    cr_expect_eq(ground_requests(&ground, false), 1);
    cr_expect_eq(claim("petstore"), RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "'payment'"), "%s", error.text);
    cr_expect_not_null(strstr(error.text, "'petstore'"), "%s", error.text);
}

/* Another service writes its name while the first waits for an answer. */
Test(claim, is_won_by_one_of_two_at_once)
{
    const enum ground_fate fates[] = {GROUND_LOSE};

    ground_fates(&ground, false, fates, 1);
    ground_intrude(&ground, "service", "petstore");
    cr_expect_eq(claim("payment"), RPCRT_FAILED_PRECONDITION, "%s", error.text);
    cr_expect_not_null(strstr(error.text, "'petstore'"), "%s", error.text);
}

Test(claim, tells_why_the_store_can_not_be_asked)
{
    const enum ground_fate fates[] = {GROUND_SAY_STRANGER};

    ground_fates(&ground, true, fates, 1);
    cr_expect_eq(claim("payment"), RPCRT_INTERNAL);
    cr_expect_not_null(strstr(error.text, "who are you"), "%s", error.text);
}
