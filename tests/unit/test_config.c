/*
 * Service configs: what is read, for whom it is, and that what is wrong is told
 * with its place.
 */
#include "client/config.h"

#include "support/faulty_alloc.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rpcrt__config *
read_config(const char *json)
{
    struct rpcrt__config *config = NULL;
    struct rpcrt__error error = {.code = RPCRT_OK};

    cr_assert_eq(rpcrt__config_new(json, &error, &config), RPCRT_OK, "%s",
                 error.text);
    return config;
}

/* The text of the refusal, without what all have in common. */
static const char *
refusal(const char *json)
{
    static struct rpcrt__error error;
    struct rpcrt__config *config = NULL;

    cr_assert_eq(rpcrt__config_new(json, &error, &config),
                 RPCRT_INVALID_ARGUMENT, "%s", json);
    cr_assert_null(config);
    cr_assert_eq(strncmp(error.text, "service config: line ", 21), 0, "%s",
                 error.text);
    return error.text + 21;
}

static const char full[] =
    "{ \"methodConfig\": [\n"
    "  { \"name\": [ { } ], \"timeout\": \"3s\" },\n"
    "  { \"name\": [ { \"service\": \"a.B\" },\n"
    "              { \"service\": \"c.D\", \"method\": \"E\" } ],\n"
    "    \"timeout\": \"1.5s\", \"waitForReady\": true,\n"
    "    \"maxRequestMessageBytes\": 100, "
    "    \"maxResponseMessageBytes\": \"200\",\n"
    "    \"retryPolicy\": { \"maxAttempts\": 3,\n"
    "      \"initialBackoff\": \"0.1s\", \"maxBackoff\": \"10s\",\n"
    "      \"backoffMultiplier\": 1.6,\n"
    "      \"retryableStatusCodes\": [ \"UNAVAILABLE\", 10 ] } },\n"
    "  { \"name\": [ { \"service\": \"a.B\", \"method\": \"Hedge\" } ],\n"
    "    \"waitForReady\": false,\n"
    "    \"hedgingPolicy\": { \"maxAttempts\": 99,\n"
    "      \"hedgingDelay\": \"0.0204s\",\n"
    "      \"nonFatalStatusCodes\": [ \"INTERNAL\" ] } } ],\n"
    "  \"retryThrottling\": { \"maxTokens\": 10, \"tokenRatio\": 0.1 },\n"
    "  \"loadBalancingConfig\": [ { \"of_others\": { \"x\": [ 1 ] } },\n"
    "    { \"round_robin\": { } }, { \"pick_first\": { } } ],\n"
    "  \"healthCheckConfig\": { \"serviceName\": null } }\n";

Test(config, has_what_was_said)
{
    struct rpcrt__config *config = read_config(full);
    const struct rpcrt__config_method *method =
        rpcrt__config_find(config, "/a.B/Any");

    cr_assert_eq(method->timeout_ms, 1500);
    cr_assert(method->has_wait_for_ready && method->wait_for_ready);
    cr_assert(method->has_request_max && method->request_size_max == 100);
    cr_assert(method->has_reply_max && method->reply_size_max == 200);
    cr_assert_eq(method->policy.attempts_max, 3);
    cr_assert_eq(method->policy.backoff_ms_min, 100);
    cr_assert_eq(method->policy.backoff_ms_max, 10000);
    cr_assert_float_eq(method->policy.backoff_factor, 1.6, 1e-9);
    cr_assert_eq(method->policy.codes,
                 1u << RPCRT_UNAVAILABLE | 1u << RPCRT_ABORTED);
    cr_assert_eq(method->policy.hedging_ms, 0);
    cr_assert_eq(config->tokens_max, 10000);
    cr_assert_eq(config->token_ratio, 100);
    cr_assert_eq(config->balancing, RPCRT__CONFIG_ROUND_ROBIN);
    rpcrt__config_free(config);
}

Test(config, is_for_the_most_exact_name)
{
    struct rpcrt__config *config = read_config(full);
    const struct rpcrt__config_method *method;

    method = rpcrt__config_find(config, "/a.B/Hedge");
    cr_assert(method->has_wait_for_ready && !method->wait_for_ready);
    cr_assert_eq(method->policy.attempts_max, RPCRT_ATTEMPTS_MAX);
    cr_assert_eq(method->policy.hedging_ms, 21);
    cr_assert_eq(method->policy.codes, 1u << RPCRT_INTERNAL);
    cr_assert_eq(rpcrt__config_find(config, "/a.B/Hedges")->timeout_ms, 1500);
    cr_assert_eq(rpcrt__config_find(config, "/c.D/E")->timeout_ms, 1500);
    cr_assert_eq(rpcrt__config_find(config, "/c.D/F")->timeout_ms, 3000);
    cr_assert_eq(rpcrt__config_find(config, "/a.Bc/F")->timeout_ms, 3000);
    rpcrt__config_free(config);

    config = read_config("{\"methodConfig\": [{\"name\":"
                         " [{\"service\": \"a.B\"}]}]}");
    cr_assert_null(rpcrt__config_find(config, "/c.D/F"));
    rpcrt__config_free(config);
}

Test(config, may_be_empty)
{
    struct rpcrt__config *config = read_config(" {\"methodConfig\": null} ");

    cr_assert_null(rpcrt__config_find(config, "/a.B/C"));
    cr_assert_eq(config->tokens_max, 0);
    rpcrt__config_free(config);
}

#define METHOD(rest) "{\"methodConfig\": [{" rest "}]}"
#define RETRY(rest)                                                            \
    METHOD("\"retryPolicy\": {\"initialBackoff\": \"1s\","                     \
           " \"maxBackoff\": \"1s\", \"backoffMultiplier\": 2," rest "}")

Test(config, that_is_wrong_is_refused_with_its_place)
{
    static const struct {
        const char *json;
        const char *refusal;
    } wrong[] = {
        {"", "1, column 1: the text ends too early"},
        {"[]", "1, column 1: not an object"},
        {"{", "1, column 2: the text ends too early"},
        {"{} x", "1, column 4: something follows the JSON"},
        {"{\n \"methodConfig\": 5}",
         "2, column 18: methodConfig: not an array"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_str_eq(refusal(wrong[i].json), wrong[i].refusal, "%s",
                         wrong[i].json);
    }
}

Test(config, that_breaks_a_rule_is_refused_with_its_field)
{
    static const struct {
        const char *json;
        const char *refusal;
    } wrong[] = {
        {METHOD("\"timeout\": \"1\""),
         "methodConfig[0].timeout: not a time like \"1.5s\" "
         "below 49 days"},
        {METHOD("\"timeout\": \"-1s\""),
         "methodConfig[0].timeout: not a time like \"1.5s\" "
         "below 49 days"},
        {METHOD("\"waitForReady\": \"yes\""),
         "methodConfig[0].waitForReady: neither true nor false"},
        {METHOD("\"name\": [{\"method\": \"M\"}]"),
         "methodConfig[0].name[0]: a method without its service"},
        {METHOD("\"name\": [{}, {}]"),
         "methodConfig[0].name[1]: the name is there twice"},
        {METHOD("\"timeout\": \"1s\", \"timeout\": \"1s\""),
         "methodConfig[0]: the member is there twice"},
        {METHOD("\"maxRequestMessageBytes\": -1"),
         "methodConfig[0].maxRequestMessageBytes: not a whole "
         "number below 2^32"},
        {METHOD("\"maxRequestMessageBytes\": 4294967296"),
         "methodConfig[0].maxRequestMessageBytes: not a whole "
         "number below 2^32"},
        {RETRY("\"retryableStatusCodes\": [14]"),
         "methodConfig[0].retryPolicy: no maxAttempts"},
        {RETRY("\"maxAttempts\": 1, \"retryableStatusCodes\": [14]"),
         "methodConfig[0].retryPolicy.maxAttempts: less than 2"},
        {RETRY("\"maxAttempts\": 2, \"retryableStatusCodes\": []"),
         "methodConfig[0].retryPolicy: no "
         "retryableStatusCodes"},
        {RETRY("\"maxAttempts\": 2, \"retryableStatusCodes\": [17]"),
         "methodConfig[0].retryPolicy.retryableStatusCodes[0]: "
         "not a status code"},
        {RETRY("\"maxAttempts\": 2, \"retryableStatusCodes\": [\"UNAVAIL\"]"),
         "methodConfig[0].retryPolicy.retryableStatusCodes[0]: "
         "not a status code"},
        {METHOD("\"hedgingPolicy\": {\"maxAttempts\": 2}, \"retryPolicy\":"
                "{\"maxAttempts\": 2, \"initialBackoff\": \"1s\","
                "\"maxBackoff\": \"1s\", \"backoffMultiplier\": 2,"
                "\"retryableStatusCodes\": [14]}"),
         "methodConfig[0]: both a retryPolicy and a "
         "hedgingPolicy"},
        {"{\"retryThrottling\": {\"maxTokens\": 1001, \"tokenRatio\": 1}}",
         "retryThrottling: maxTokens is not 1 to 1000"},
        {"{\"retryThrottling\": {\"maxTokens\": 10}}",
         "retryThrottling: tokenRatio is not 0.001 to 1000"},
        {"{\"retryThrottling\": {\"maxTokens\": 10, \"tokenRatio\": 0}}",
         "retryThrottling.tokenRatio: not above 0"},
        {"{\"loadBalancingConfig\": [{\"of_others\": {}}]}",
         "loadBalancingConfig: no policy that is known"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *text = strstr(refusal(wrong[i].json), ": ") + 2;

        cr_expect_str_eq(text, wrong[i].refusal, "%s", text);
    }
}

Test(config, comes_through_each_allocation_failing)
{
    /* A name with an escape is decoded into a buffer. */
    static const char json[] =
        "{\"methodConfig\": [{\"name\": [{\"service\": \"a\\u002eB\"}]}]}";
    struct rpcrt__config *config = NULL;
    struct rpcrt__error error;
    enum rpcrt_code code;
    uint64_t n = 0;

    faulty_alloc_install();
    for (;; n++) {
        faulty_alloc_fail_at(n);
        code = rpcrt__config_new(json, &error, &config);
        if (!faulty_alloc_failed()) {
            break;
        }
        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    cr_assert_eq(code, RPCRT_OK);
    cr_assert_eq(n, 6);
    cr_assert_not_null(rpcrt__config_find(config, "/a.B/C"));
    rpcrt__config_free(config);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}
