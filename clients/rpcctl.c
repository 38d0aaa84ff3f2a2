/*
 * rpcctl: the command line of any server. The table of its commands; what they
 * do is in the files rpcctl_*.c.
 */
#include "rpcctl.h"

struct rpcctl_options rpcctl_options;

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct cli_flag all_flags[] = {
    {"descriptors", "FILE",
     "Types from this file instead of the server's reflection; made by\n"
     "                       protoc --include_imports --include_source_info\n"
     "                       --descriptor_set_out=FILE ...",
     CLI_FLAG_TEXT, &rpcctl_options.descriptors},
    {"H", "'KEY: VALUE'", "Send metadata; may be given several times.",
     CLI_FLAG_LIST, &rpcctl_options.headers},
    {"deadline", "TIME",
     "As --timeout, also for streams, which have none else.", CLI_FLAG_TIME,
     &rpcctl_options.deadline_ms},
    {"v", NULL, "Tell metadata, sizes and times on standard error.",
     CLI_FLAG_SWITCH, &rpcctl_options.verbose}};

static const struct cli_flag ls_flags[] = {
    {"l", NULL, "Methods, with what they take and return.", CLI_FLAG_SWITCH,
     &rpcctl_options.long_list}};

static const struct cli_flag call_flags[] = {
    {"defaults", NULL, "Print fields that have their default, too.",
     CLI_FLAG_SWITCH, &rpcctl_options.defaults}};

static const struct cli_flag health_flags[] = {
    {"watch", NULL, "Print each change, until Ctrl-C.", CLI_FLAG_SWITCH,
     &rpcctl_options.watch}};

static const struct cli_flag load_flags[] = {
    {"concurrency", "N", "So many calls at a time (16).", CLI_FLAG_NUMBER,
     &rpcctl_options.concurrency},
    {"rate", "N", "Begin so many calls a second, however long they take.",
     CLI_FLAG_NUMBER, &rpcctl_options.rate},
    {"duration", "TIME", "For so long (10s, if there is no --count).",
     CLI_FLAG_TIME, &rpcctl_options.duration_ms},
    {"count", "N", "So many calls.", CLI_FLAG_NUMBER, &rpcctl_options.count},
    {"o", "FORMAT", "text or json.", CLI_FLAG_TEXT, &rpcctl_options.format}};

static const char ls_help[] =
    "Without SERVICE: all services. Elsewhere than on a terminal the columns "
    "of -l\nare separated by tabs.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 ls\n"
    "  rpcctl tcp://127.0.0.1:7001 ls -l kv.v1.Kv";

static const char describe_help[] =
    "SYMBOL is a service, method, message or enum; without one: everything. "
    "Comments\nare there if the descriptors have them.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 describe kv.v1.PutRequest\n"
    "  rpcctl --descriptors kv.set describe kv.v1.Kv/Put";

static const char template_help[] =
    "Every field with a value to be changed; of a oneof the first.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 template Put >request.json\n"
    "  rpcctl tcp://127.0.0.1:7001 call Put @request.json";

static const char call_help[] =
    "The request is JSON, @FILE, @- for standard input, or items:\n"
    "  name=text  a.b=text  list[]=text  name:=5  name:='{\"a\": [1, 2]}'\n"
    "Without a request it is {}. If the client sends a stream: one JSON value "
    "a "
    "line\nfrom standard input; its end, or Ctrl-D, ends the stream. Replies "
    "of "
    "a stream are\nprinted one a line, as they come. Ctrl-C cancels.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 call kv.v1.Kv/Load key=5f2c\n"
    "  rpcctl tcp://127.0.0.1:7001 call Put '{\"key\": \"YQ==\"}' -v\n"
    "  printf '{\"n\":1}\\n{\"n\":2}\\n' | rpcctl ipc:///run/x call Sum";

static const char health_help[] =
    "Exit code 0 if it serves; 1 if not; 69 if it does not know the "
    "service.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 health\n"
    "  rpcctl tcp://127.0.0.1:7001 health kv.v1.Kv --watch";

static const char load_help[] =
    "Closed loop: each of --concurrency calls begins when one has ended. Open "
    "loop,\nwith --rate: calls begin when they are due, and their time counts "
    "from then on,\nalso if the program or the server was late. Exit code 1 if "
    "a call failed.\n\n"
    "  rpcctl tcp://127.0.0.1:7001 load Load key=5f2c --concurrency 64\n"
    "  rpcctl tcp://127.0.0.1:7001 load Load key=5f2c --rate 5000 --duration "
    "30s";

static const char completion_help[] =
    "Methods and services come from the server that stands on the line, or "
    "from\nRPCCTL_ADDRESS.\n\n"
    "  source <(rpcctl completion bash)\n"
    "  rpcctl completion bash "
    ">~/.local/share/bash-completion/completions/rpcctl";

static const struct cli_command commands[] = {
    {"ls", "[SERVICE]", "list services, or methods", ls_help, 0, 1, ls_flags,
     N_OF(ls_flags), rpcctl_ls},
    {"describe", "[SYMBOL]", "print the .proto text of something",
     describe_help, 0, 1, NULL, 0, rpcctl_describe},
    {"template", "METHOD", "print a request to be filled in", template_help, 1,
     1, NULL, 0, rpcctl_template},
    {"call", "METHOD [REQUEST]...", "call a method", call_help, 1, 1000,
     call_flags, N_OF(call_flags), rpcctl_call},
    {"health", "[SERVICE]", "tell whether a server serves", health_help, 0, 1,
     health_flags, N_OF(health_flags), rpcctl_health},
    {"load", "METHOD [REQUEST]...",
     "call a method again and again, and time it", load_help, 1, 1000,
     load_flags, N_OF(load_flags), rpcctl_load},
    {"completion", "bash", "print a script that completes commands",
     completion_help, 1, 1, NULL, 0, rpcctl_completion}};

int
main(int argc, char **argv)
{
    struct cli cli = {.program = "rpcctl",
                      .summary = "the command line of any server",
                      .commands = commands,
                      .n_commands = N_OF(commands),
                      .flags = all_flags,
                      .n_flags = N_OF(all_flags),
                      .address_first = true,
                      .token_help = "The first line is a token, sent as "
                                    "\"authorization: Bearer\"."};

    rpcctl_interrupt_begin();
    return cli_main(&cli, argc, argv);
}
