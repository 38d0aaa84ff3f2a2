/*
 * Between the files of the till: its store.
 */
#ifndef TESTS_PAYMENT_TILL_INNER_H
#define TESTS_PAYMENT_TILL_INNER_H

#include "tests/payment/till.h"

#include "kv/service.h"

struct till_kv {
    struct kvs_service service;
    struct kvs_engine *engine;
    struct rpcrt_server *server;
    char address[64];
};

#endif
