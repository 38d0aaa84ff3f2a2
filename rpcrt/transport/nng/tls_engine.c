/*
 * The TLS engine as nng sees it, and the ends that links make: which identity,
 * name and listener belong to an nng_tls_config. Connections are in
 * tls_conn.c.
 *
 * nng's own settings of a configuration are not used: an identity is complete
 * before nng hears of it, and travels by a thread-local variable from
 * rpcrt__tls_end_new() through nng_tls_config_alloc() to config_init().
 */
#include "transport/nng/tls_engine.h"

#include "core/alloc.h"

#include <mbedtls/version.h>
#include <string.h>

static _Thread_local struct rpcrt__tls_end *end_in_making;

/* -- the engine's configurations ------------------------------------------- */

/* nng makes a configuration for each dialer and listener, which the link then
 * replaces: that one has no end, and no connection can use it. */
static int
config_init(nng_tls_engine_config *config, nng_tls_mode mode)
{
    (void)mode;
    config->end = end_in_making;
    return 0;
}

static void
config_fini(nng_tls_engine_config *config)
{
    struct rpcrt__tls_end *end = config->end;

    if (end != NULL) {
        (void)pthread_mutex_lock(&end->lock);
        end->in_use = false;
        (void)pthread_cond_signal(&end->gone);
        (void)pthread_mutex_unlock(&end->lock);
    }
}

/* nng sets name and mode of the configurations that it makes. */
static int
config_server(nng_tls_engine_config *config, const char *name)
{
    (void)config;
    (void)name;
    return 0;
}

static int
config_auth(nng_tls_engine_config *config, nng_tls_auth_mode mode)
{
    (void)config;
    (void)mode;
    return 0;
}

static int
config_ca_chain(nng_tls_engine_config *config, const char *certs,
                const char *crl)
{
    (void)config;
    (void)certs;
    (void)crl;
    return NNG_ENOTSUP;
}

static int
config_own_cert(nng_tls_engine_config *config, const char *cert,
                const char *key, const char *passphrase)
{
    (void)config;
    (void)cert;
    (void)key;
    (void)passphrase;
    return NNG_ENOTSUP;
}

static int
config_version(nng_tls_engine_config *config, nng_tls_version min,
               nng_tls_version max)
{
    (void)config;
    (void)min;
    (void)max;
    return NNG_ENOTSUP;
}

static nng_tls_engine_config_ops config_ops = {
    .size = sizeof(struct nng_tls_engine_config),
    .init = config_init,
    .fini = config_fini,
    .server = config_server,
    .auth = config_auth,
    .ca_chain = config_ca_chain,
    .own_cert = config_own_cert,
    .version = config_version,
};

static const nng_tls_engine engine = {
    .version = NNG_TLS_ENGINE_VERSION,
    .config_ops = &config_ops,
    .conn_ops = &rpcrt__tls_conn_ops,
    .name = "rpcrt",
    .description = MBEDTLS_VERSION_STRING_FULL,
    .fips_mode = false,
};

/* -- ends ------------------------------------------------------------------ */

void
rpcrt__tls_end_report(struct rpcrt__tls_end *end, const char *peer,
                      const char *reason)
{
    (void)pthread_mutex_lock(&end->lock);
    if (end->report != NULL) {
        end->report(end->arg, peer, reason);
    }
    (void)pthread_mutex_unlock(&end->lock);
}

static enum rpcrt_code
no_memory(struct rpcrt__error *error)
{
    return rpcrt__error_set(error, RPCRT_RESOURCE_EXHAUSTED,
                            "TLS: out of memory");
}

/* Make the configuration; its name in nng is what keeps `end` in use. */
static enum rpcrt_code
end_register(struct rpcrt__tls_end *end, bool server,
             struct rpcrt__error *error)
{
    int rc;

    /* nng forgets engines when it starts, and asking for a name starts it. */
    (void)nng_tls_engine_name();
    rc = nng_tls_engine_register(&engine);
    if (rc == 0) {
        end_in_making = end;
        rc = nng_tls_config_alloc(&end->config, server ? NNG_TLS_MODE_SERVER
                                                       : NNG_TLS_MODE_CLIENT);
        end_in_making = NULL;
    }
    if (rc == NNG_ENOMEM) {
        return no_memory(error);
    }
    if (rc != 0) {
        return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION, "TLS: %s",
                                rc == NNG_ENOTSUP ? "nng was built without it"
                                                  : nng_strerror(rc));
    }
    end->in_use = true;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__tls_end_new(const struct rpcrt__tls_end_options *options,
                   struct rpcrt__error *ret_error,
                   struct rpcrt__tls_end **ret_end)
{
    const char *name = options->identity->server_name;
    struct rpcrt__tls_end *end;
    enum rpcrt_code code;

    if (name == NULL) {
        name = options->server_name;
    }
    if (options->identity->server != options->server) {
        return rpcrt__error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "TLS: the identity is for the other end");
    }
    if (!options->server && name == NULL) {
        return rpcrt__error_set(ret_error, RPCRT_FAILED_PRECONDITION,
                                "TLS: no name to verify the server by");
    }
    end = rpcrt__calloc(1, sizeof *end);
    if (end == NULL) {
        return no_memory(ret_error);
    }
    (void)pthread_mutex_init(&end->lock, NULL);
    (void)pthread_cond_init(&end->gone, NULL);
    end->identity = options->identity;
    end->server = options->server;
    end->report = options->report;
    end->arg = options->arg;
    code = RPCRT_OK;
    if (!options->server) {
        end->server_name = rpcrt__strdup(name);
        if (end->server_name == NULL) {
            code = no_memory(ret_error);
        }
    }
    if (code == RPCRT_OK) {
        code = end_register(end, options->server, ret_error);
    }
    if (code != RPCRT_OK) {
        rpcrt__tls_end_free(end);
        return code;
    }
    *ret_end = end;
    return RPCRT_OK;
}

nng_tls_config *
rpcrt__tls_end_config(struct rpcrt__tls_end *end)
{
    return end->config;
}

void
rpcrt__tls_end_free(struct rpcrt__tls_end *end)
{
    if (end == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&end->lock);
    end->report = NULL;
    (void)pthread_mutex_unlock(&end->lock);

    if (end->config != NULL) {
        nng_tls_config_free(end->config);
    }
    /* Connections that were closed are freed by nng's reaper, soon. */
    (void)pthread_mutex_lock(&end->lock);
    while (end->in_use) {
        (void)pthread_cond_wait(&end->gone, &end->lock);
    }
    (void)pthread_mutex_unlock(&end->lock);
    (void)pthread_cond_destroy(&end->gone);
    (void)pthread_mutex_destroy(&end->lock);
    rpcrt__free(end->server_name);
    rpcrt__free(end);
}

/* -- the peer's name ------------------------------------------------------- */

struct rpcrt__tls_name_slot *
rpcrt__tls_name_slot(void)
{
    static _Thread_local struct rpcrt__tls_name_slot slot;

    return &slot;
}

/* nng 1.5.2 can't be asked for a name, but whether the peer was verified: the
 * engine answers that on this thread, and leaves the name on the way. */
bool
rpcrt__tls_peer_name(nng_pipe pipe, char ret_name[RPCRT__TLS_NAME_SIZE])
{
    struct rpcrt__tls_name_slot *slot = rpcrt__tls_name_slot();
    bool verified = false;
    int rc;

    slot->name[0] = '\0';
    slot->wanted = true;
    rc = nng_pipe_get_bool(pipe, NNG_OPT_TLS_VERIFIED, &verified);
    slot->wanted = false;
    if (rc != 0 || !verified || slot->name[0] == '\0') {
        return false;
    }
    memcpy(ret_name, slot->name, sizeof slot->name);
    return true;
}
