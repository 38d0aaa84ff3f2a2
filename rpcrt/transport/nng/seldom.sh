#!/bin/sh
# Runs a compiler; what of nng only runs when a connection is opened or closed,
# or beside encryption, is built for size.
#   sh seldom.sh CC FLAG... -c FILE
case " $* " in
*/url.c\ * | */options.c\ * | */stream.c\ * | */dialer.c\ * | */listener.c\ * | \
    *dial.c\ * | *listen.c\ * | */posix_resolv_gai.c\ * | */posix_file.c\ * | \
    */posix_udp.c\ * | */posix_ipc.c\ * | */sockaddr.c\ * | */tls.c\ * | */tls_common.c\ *)
    exec "$@" -Os
    ;;
esac
exec "$@"
