/*
 * The command line and the serving loop that all subjects share.
 */
#include "bench/subject.h"

#include "bench/allocs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
subject_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    /* Threads of a library may run: no clean-up under their feet. */
    _Exit(1);
}

void
subject_serve(unsigned port)
{
    char line[80];

    printf("%u\n", port);
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        printf("%llu\n", (unsigned long long)allocs_count());
        fflush(stdout);
    }
}

static unsigned
number(const char *text, unsigned min, unsigned max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == 0 || *end != 0 || value < min || value > max) {
        subject_fail("'%s' is no number from %u to %u", text, min, max);
    }
    return (unsigned)value;
}

int
subject_main(int argc, char **argv, subject_fn *server, subject_fn *client)
{
    struct subject_args args = {0};

    if (argc == 4 && strcmp(argv[1], "server") == 0) {
        args.name = argv[2];
        args.depth = number(argv[3], 1, SUBJECT_DEPTH_MAX);
        server(&args);
        return 0;
    }
    if (argc == 6 && strcmp(argv[1], "client") == 0) {
        args.name = argv[2];
        args.port = number(argv[3], 1, 65535);
        args.depth = number(argv[4], 1, SUBJECT_DEPTH_MAX);
        args.seconds = strtod(argv[5], NULL);
        if (!(args.seconds > 0)) {
            subject_fail("'%s' is no number of seconds", argv[5]);
        }
        client(&args);
        return 0;
    }
    fprintf(stderr,
            "Usage: %s server NAME DEPTH\n"
            "       %s client NAME PORT DEPTH SECONDS\n",
            argv[0], argv[0]);
    return 2;
}
