/*
 * Types by reflection: grpc.reflection.v1, and v1alpha from older servers.
 */
#include "rpcctl.h"

bool
rpcctl_reflect(struct cli *cli, const char *symbol, struct rpcrt_types *types,
               int *ret_exit)
{
    (void)symbol;
    (void)types;
    *ret_exit = cli_usage(cli, "not yet: give --descriptors");
    return false;
}
