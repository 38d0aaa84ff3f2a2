/*
 * Service configs from anybody: what is read keeps the rules that calls rely
 * on.
 */
#include "client/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_policy(const struct rpcrt_retry_policy *policy)
{
    if (policy->attempts_max == 0) {
        return;
    }
    if (policy->attempts_max < 2 || policy->attempts_max > RPCRT_ATTEMPTS_MAX ||
        policy->codes >> (RPCRT_UNAUTHENTICATED + 1) != 0) {
        abort();
    }
    if (policy->hedging_ms == 0 &&
        (policy->codes == 0 || policy->backoff_ms_min == 0 ||
         policy->backoff_ms_max == 0 || !(policy->backoff_factor > 0))) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpcrt__config *config;
    struct rpcrt__error error;
    char *text = malloc(size + 1);

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (rpcrt__config_new(text, &error, &config) != RPCRT_OK) {
        if (strlen(error.text) >= sizeof error.text) {
            abort();
        }
        free(text);
        return 0;
    }
    for (size_t i = 0; i < config->n_methods; i++) {
        check_policy(&config->methods[i].policy);
    }
    for (size_t i = 0; i < config->n_names; i++) {
        if (rpcrt__config_find(config, config->names[i].path) == NULL) {
            abort();
        }
    }
    (void)rpcrt__config_find(config, "/a.B/C");
    if (config->tokens_max > 1000000) {
        abort();
    }
    rpcrt__config_free(config);
    free(text);
    return 0;
}
