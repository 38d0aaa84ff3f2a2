/*
 * The version of the library that runs, which may differ from that of the
 * headers a program was compiled with.
 */
#include <rpcrt/api.h>

const char *
rpcrt_version(void)
{
    return RPCRT_VERSION_TEXT;
}
