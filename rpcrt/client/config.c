/*
 * The members of a service config, and the rules that they must keep.
 */
#include "client/config.h"

#include "client/config_read.h"
#include "core/alloc.h"

#include <string.h>

#define MEMBER(type, name, fn, member)                                         \
    {                                                                          \
        name, fn, offsetof(type, member)                                       \
    }
#define WHOLE(name, fn)                                                        \
    {                                                                          \
        name, fn, 0                                                            \
    }
#define N_OF(array) (sizeof(array) / sizeof(array)[0])

/* One more element at the end of an array; NULL without memory. */
static void *
grow(void *array, size_t n, size_t *room, size_t size)
{
    size_t wanted = n * 2 + 4;
    void *larger;

    if (n < *room) {
        return array;
    }
    larger = rpcrt__calloc(wanted, size);
    if (larger != NULL) {
        if (n > 0) {
            memcpy(larger, array, n * size);
        }
        rpcrt__free(array);
        *room = wanted;
    }
    return larger;
}

/* -- names ----------------------------------------------------------------- */

struct name {
    char *service;
    char *method;
};

static bool
read_text(struct rpcrt__config_read *read, void *to)
{
    struct rpcrt__json_slice text;
    char **copy = to;

    if (!rpcrt__config_string(read, &text)) {
        return false;
    }
    if (memchr(text.data, '\0', text.size) != NULL) {
        return rpcrt__config_refuse(read, "a zero byte in a name");
    }
    *copy = rpcrt__calloc(1, text.size + 1);
    if (*copy == NULL) {
        return rpcrt__config_out_of_memory(read);
    }
    memcpy(*copy, text.data, text.size);
    return true;
}

/* "/service/method", "/service/" or "". */
static bool
add_name(struct rpcrt__config_read *read, struct rpcrt__config *config,
         const char *service, const char *method)
{
    size_t service_size = strlen(service);
    struct rpcrt__config_name *names;
    char *path = rpcrt__calloc(1, service_size + strlen(method) + 3);

    if (path != NULL && service_size > 0) {
        path[0] = '/';
        memcpy(path + 1, service, service_size);
        path[service_size + 1] = '/';
        memcpy(path + service_size + 2, method, strlen(method));
    }
    names = path == NULL ? NULL
                         : grow(config->names, config->n_names,
                                &config->names_room, sizeof config->names[0]);
    if (names == NULL) {
        rpcrt__free(path);
        return rpcrt__config_out_of_memory(read);
    }
    config->names = names;
    names[config->n_names].path = path;
    names[config->n_names].method = config->n_methods;
    config->n_names++;
    return true;
}

static bool
has_name(const struct rpcrt__config *config, const char *service,
         const char *method)
{
    size_t size = strlen(service);

    for (size_t i = 0; i < config->n_names; i++) {
        const char *path = config->names[i].path;

        if (size == 0
                ? path[0] == '\0'
                : path[0] == '/' && strncmp(path + 1, service, size) == 0 &&
                      path[size + 1] == '/' &&
                      strcmp(path + size + 2, method) == 0) {
            return true;
        }
    }
    return false;
}

static bool
read_name(struct rpcrt__config_read *read, void *to)
{
    static const struct rpcrt__config_member members[] = {
        MEMBER(struct name, "service", read_text, service),
        MEMBER(struct name, "method", read_text, method)};
    struct name name = {NULL, NULL};
    uint32_t seen;
    bool ok = rpcrt__config_object(read, members, N_OF(members), &name, &seen);
    const char *service = name.service == NULL ? "" : name.service;
    const char *method = name.method == NULL ? "" : name.method;

    if (ok && service[0] == '\0' && method[0] != '\0') {
        ok = rpcrt__config_refuse(read, "a method without its service");
    } else if (ok && has_name(to, service, method)) {
        ok = rpcrt__config_refuse(read, "the name is there twice");
    } else if (ok) {
        ok = add_name(read, to, service, method);
    }
    rpcrt__free(name.service);
    rpcrt__free(name.method);
    return ok;
}

/* -- policies -------------------------------------------------------------- */

/* A member that has to be there and is not. */
static bool
check_seen(struct rpcrt__config_read *read, uint32_t seen, unsigned i,
           const char *problem)
{
    return (seen >> i & 1) != 0 || rpcrt__config_refuse(read, problem);
}

static bool
read_attempts(struct rpcrt__config_read *read, void *to)
{
    uint32_t *attempts = to;

    if (!rpcrt__config_uint32(read, to)) {
        return false;
    }
    if (*attempts < 2) {
        return rpcrt__config_refuse(read, "less than 2");
    }
    if (*attempts > RPCRT_ATTEMPTS_MAX) {
        *attempts = RPCRT_ATTEMPTS_MAX;
    }
    return true;
}

static bool
read_factor(struct rpcrt__config_read *read, void *to)
{
    return rpcrt__config_double(read, to) &&
           (*(double *)to > 0 || rpcrt__config_refuse(read, "not above 0"));
}

static bool
read_retry_policy(struct rpcrt__config_read *read, void *to)
{
#define FIELD(name, fn, member)                                                \
    MEMBER(struct rpcrt_retry_policy, name, fn, member)
    static const struct rpcrt__config_member members[] = {
        FIELD("maxAttempts", read_attempts, attempts_max),
        FIELD("initialBackoff", rpcrt__config_duration_ms, backoff_ms_min),
        FIELD("maxBackoff", rpcrt__config_duration_ms, backoff_ms_max),
        FIELD("backoffMultiplier", read_factor, backoff_factor),
        FIELD("retryableStatusCodes", rpcrt__config_codes, codes)};
    struct rpcrt_retry_policy *policy = to;
    uint32_t seen;

    return rpcrt__config_object(read, members, N_OF(members), to, &seen) &&
           check_seen(read, seen, 0, "no maxAttempts") &&
           check_seen(read, seen, 1, "no initialBackoff") &&
           check_seen(read, seen, 2, "no maxBackoff") &&
           check_seen(read, seen, 3, "no backoffMultiplier") &&
           (policy->codes != 0 ||
            rpcrt__config_refuse(read, "no retryableStatusCodes"));
}

static bool
read_hedging_policy(struct rpcrt__config_read *read, void *to)
{
    static const struct rpcrt__config_member members[] = {
        FIELD("maxAttempts", read_attempts, attempts_max),
        FIELD("hedgingDelay", rpcrt__config_duration_ms, hedging_ms),
        FIELD("nonFatalStatusCodes", rpcrt__config_codes, codes)};
    struct rpcrt_retry_policy *policy = to;
    uint32_t seen;

    policy->hedging_ms = 1; /* as good as at once */
    return rpcrt__config_object(read, members, N_OF(members), to, &seen) &&
           check_seen(read, seen, 0, "no maxAttempts");
#undef FIELD
}

/* -- methods --------------------------------------------------------------- */

struct element {
    struct rpcrt__config *config;
    struct rpcrt__config_method method;
};

static bool
read_names(struct rpcrt__config_read *read, void *to)
{
    return rpcrt__config_array(read, read_name, *(struct rpcrt__config **)to);
}

static bool
read_method(struct rpcrt__config_read *read, void *to)
{
#define FIELD(name, fn, member) MEMBER(struct element, name, fn, method.member)
    enum { WAIT = 2, REQUEST_MAX, REPLY_MAX, RETRY, HEDGING };
    static const struct rpcrt__config_member members[] = {
        MEMBER(struct element, "name", read_names, config),
        FIELD("timeout", rpcrt__config_duration_ms, timeout_ms),
        FIELD("waitForReady", rpcrt__config_bool, wait_for_ready),
        FIELD("maxRequestMessageBytes", rpcrt__config_uint32, request_size_max),
        FIELD("maxResponseMessageBytes", rpcrt__config_uint32, reply_size_max),
        FIELD("retryPolicy", read_retry_policy, policy),
        FIELD("hedgingPolicy", read_hedging_policy, policy)};
#undef FIELD
    struct rpcrt__config *config = to;
    struct element element = {.config = config};
    struct rpcrt__config_method *methods;
    uint32_t seen;

    if (!rpcrt__config_object(read, members, N_OF(members), &element, &seen)) {
        return false;
    }
    if ((seen >> RETRY & 1) != 0 && (seen >> HEDGING & 1) != 0) {
        return rpcrt__config_refuse(read,
                                    "both a retryPolicy and a hedgingPolicy");
    }
    methods = grow(config->methods, config->n_methods, &config->methods_room,
                   sizeof config->methods[0]);
    if (methods == NULL) {
        return rpcrt__config_out_of_memory(read);
    }
    config->methods = methods;
    element.method.has_wait_for_ready = (seen >> WAIT & 1) != 0;
    element.method.has_request_max = (seen >> REQUEST_MAX & 1) != 0;
    element.method.has_reply_max = (seen >> REPLY_MAX & 1) != 0;
    methods[config->n_methods++] = element.method;
    return true;
}

static bool
read_methods(struct rpcrt__config_read *read, void *to)
{
    return rpcrt__config_array(read, read_method, to);
}

/* -- the rest -------------------------------------------------------------- */

struct throttling {
    uint32_t tokens_max;
    double token_ratio;
};

static bool
read_throttling(struct rpcrt__config_read *read, void *to)
{
    static const struct rpcrt__config_member members[] = {
        MEMBER(struct throttling, "maxTokens", rpcrt__config_uint32,
               tokens_max),
        MEMBER(struct throttling, "tokenRatio", read_factor, token_ratio)};
    struct throttling throttling = {0, 0};
    struct rpcrt__config *config = to;
    uint32_t seen;

    if (!rpcrt__config_object(read, members, N_OF(members), &throttling,
                              &seen)) {
        return false;
    }
    if (throttling.tokens_max == 0 || throttling.tokens_max > 1000) {
        return rpcrt__config_refuse(read, "maxTokens is not 1 to 1000");
    }
    if (throttling.token_ratio < 0.001 || throttling.token_ratio > 1000) {
        return rpcrt__config_refuse(read, "tokenRatio is not 0.001 to 1000");
    }
    config->tokens_max = throttling.tokens_max * 1000;
    config->token_ratio = (uint32_t)(throttling.token_ratio * 1000);
    return true;
}

static bool
read_policy(struct rpcrt__config_read *read, void *to,
            enum rpcrt__config_balancing which)
{
    enum rpcrt__config_balancing *balancing = to;
    uint32_t seen;

    /* The first that is known counts. */
    if (*balancing == RPCRT__CONFIG_BALANCING_UNSAID) {
        *balancing = which;
    }
    return rpcrt__config_object(read, NULL, 0, NULL, &seen);
}

static bool
read_pick_first(struct rpcrt__config_read *read, void *to)
{
    return read_policy(read, to, RPCRT__CONFIG_PICK_FIRST);
}

static bool
read_round_robin(struct rpcrt__config_read *read, void *to)
{
    return read_policy(read, to, RPCRT__CONFIG_ROUND_ROBIN);
}

static bool
read_least_request(struct rpcrt__config_read *read, void *to)
{
    return read_policy(read, to, RPCRT__CONFIG_LEAST_REQUEST);
}

static bool
read_choice(struct rpcrt__config_read *read, void *to)
{
    static const struct rpcrt__config_member members[] = {
        WHOLE("pick_first", read_pick_first),
        WHOLE("round_robin", read_round_robin),
        WHOLE("least_request", read_least_request)};
    uint32_t seen;

    return rpcrt__config_object(read, members, N_OF(members), to, &seen);
}

static bool
read_balancing(struct rpcrt__config_read *read, void *to)
{
    enum rpcrt__config_balancing *balancing = to;

    return rpcrt__config_array(read, read_choice, to) &&
           (*balancing != RPCRT__CONFIG_BALANCING_UNSAID ||
            rpcrt__config_refuse(read, "no policy that is known"));
}

/* -- all of it ------------------------------------------------------------- */

enum rpcrt_code
rpcrt__config_new(const char *json, struct rpcrt__error *ret_error,
                  struct rpcrt__config **ret_config)
{
    static const struct rpcrt__config_member members[] = {
        WHOLE("methodConfig", read_methods),
        WHOLE("retryThrottling", read_throttling),
        MEMBER(struct rpcrt__config, "loadBalancingConfig", read_balancing,
               balancing)};
    struct rpcrt__config *config = rpcrt__calloc(1, sizeof *config);
    struct rpcrt__config_read read;
    enum rpcrt_code code = RPCRT_OK;
    uint32_t seen;

    rpcrt__config_read_init(&read, json);
    if (config == NULL ||
        !rpcrt__config_object(&read, members, N_OF(members), config, &seen) ||
        !rpcrt__json_end(&read.scan)) {
        read.no_memory = read.no_memory || config == NULL;
        code = rpcrt__config_describe(&read, ret_error);
        rpcrt__config_free(config);
    } else {
        *ret_config = config;
    }
    rpcrt__config_read_fini(&read);
    return code;
}

void
rpcrt__config_free(struct rpcrt__config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->n_names; i++) {
        rpcrt__free(config->names[i].path);
    }
    rpcrt__free(config->names);
    rpcrt__free(config->methods);
    rpcrt__free(config);
}

const struct rpcrt__config_method *
rpcrt__config_find(const struct rpcrt__config *config, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t service_size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    const struct rpcrt__config_name *best = NULL;
    size_t best_size = 0;

    for (size_t i = 0; i < config->n_names; i++) {
        const char *name = config->names[i].path;
        size_t size = strlen(name);

        if ((size == 0 || strcmp(name, path) == 0 ||
             (size == service_size && memcmp(name, path, size) == 0)) &&
            (best == NULL || size > best_size)) {
            best = &config->names[i];
            best_size = size;
        }
    }
    return best == NULL ? NULL : &config->methods[best->method];
}
