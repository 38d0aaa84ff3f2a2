/*
 * Refusals: see refuse.h. The name of a reason is the one in petstore.proto.
 */
#include "petstore/refuse.h"

#include <rpcrt/details.h>
#include <rpcrt/limits.h>
#include <stdarg.h>
#include <stdio.h>

enum rpcrt_code
shop_refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code,
            Petstore__V1__Reason reason, const char *format, ...)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &petstore__v1__reason__descriptor, (int)reason);
    char text[RPCRT_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0) {
        text[0] = '\0';
    }
    va_end(arguments);
    return rpcrt_ctx_refuse(ctx, code, SHOP_DOMAIN,
                            value == NULL ? "" : value->name, "%s", text);
}

enum rpcrt_code
shop_refuse_pet_unknown(struct rpcrt_ctx *ctx, const char *id)
{
    return shop_refuse(ctx, RPCRT_NOT_FOUND, PETSTORE__V1__REASON__PET_UNKNOWN,
                       "there is no pet '%.64s'", id);
}

enum rpcrt_code
shop_refuse_order_unknown(struct rpcrt_ctx *ctx)
{
    return shop_refuse(ctx, RPCRT_NOT_FOUND,
                       PETSTORE__V1__REASON__ORDER_UNKNOWN, "no such order");
}
