/*
 * getaddrinfo(3) of the program; the C library's is behind it.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "balance/names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

atomic_uint names_shop;
atomic_uint names_answered;
atomic_uint names_running;

typedef int look_up_fn(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found);

static look_up_fn *
system_look_up(void)
{
    static _Atomic(look_up_fn *) kept;
    look_up_fn *fn = atomic_load(&kept);
    void *symbol;

    if (fn == NULL) {
        symbol = dlsym(RTLD_NEXT, "getaddrinfo");
        memcpy(&fn, &symbol, sizeof fn);
        atomic_store(&kept, fn);
    }
    return fn;
}

static int
look_up_shop(const struct addrinfo *hints, struct addrinfo **found)
{
    unsigned shop = atomic_load(&names_shop);

    *found = NULL;
    for (unsigned n = 31; n > 0; n--) {
        struct addrinfo *rest = *found;
        char host[32];

        if ((shop >> n & 1u) == 0) {
            continue;
        }
        (void)snprintf(host, sizeof host, "127.0.0.%u", n);
        if (system_look_up()(host, NULL, hints, found) != 0) {
            *found = rest;
            continue;
        }
        (*found)->ai_next = rest;
    }
    return *found == NULL ? EAI_NONAME : 0;
}

/* By another name in C: the header's declaration has other parameters' names.
 */
int look_up(const char *host, const char *service, const struct addrinfo *hints,
            struct addrinfo **found) __asm__("getaddrinfo");

int
look_up(const char *host, const char *service, const struct addrinfo *hints,
        struct addrinfo **found)
{
    if (host != NULL && strcmp(host, "shop.test") == 0) {
        return look_up_shop(hints, found);
    }
    if (host != NULL && strcmp(host, "slow.test") == 0) {
        atomic_fetch_add(&names_running, 1);
        while (atomic_load(&names_answered) == 0) {
            (void)poll(NULL, 0, 1);
        }
        atomic_fetch_sub(&names_running, 1);
        return EAI_AGAIN;
    }
    return system_look_up()(host, service, hints, found);
}
