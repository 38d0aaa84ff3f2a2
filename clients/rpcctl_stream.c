/*
 * rpcctl call of a method with a stream.
 */
#include "rpcctl.h"

int
rpcctl_stream(struct cli *cli, const struct rpcctl_method *what, int argc,
              char **argv)
{
    (void)what;
    (void)argc;
    (void)argv;
    return cli_usage(cli, "not yet: streams");
}
