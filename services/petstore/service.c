/*
 * The table of handlers: see service.h.
 */
#include "petstore/service.h"
#include "common/ids.h"
#include "petstore/cart.h"
#include "petstore/checkout.h"
#include "petstore/list.h"
#include "petstore/orders.h"
#include "petstore/pets.h"
#include "petstore/users.h"
#include "petstore/v1/petstore.server.h"

static const struct petstore_service handlers = {
    .register_ = shop_users_register,
    .login = shop_users_login,
    .logout = shop_users_logout,
    .add_pet = shop_pets_add,
    .update_pet = shop_pets_update,
    .get_pet = shop_pets_get,
    .list_pets = shop_pets_list,
    .remove_pet = shop_pets_remove,
    .add_to_cart = shop_cart_add,
    .remove_from_cart = shop_cart_remove,
    .get_cart = shop_cart_get,
    .checkout = shop_checkout,
    .get_order = shop_orders_get,
    .list_orders = shop_orders_list,
    .cancel_order = shop_orders_cancel,
};

int64_t
shop_now_ms(const struct shop_service *service)
{
    return service->now_ms == NULL ? common_now_ms() : service->now_ms();
}

enum rpcrt_code
shop_service_serve(struct rpcrt_server *server, struct shop_service *service)
{
    return petstore_serve(server, &handlers, service);
}
