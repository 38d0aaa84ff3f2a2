/*
 * rpcctl completion: a script for bash, which asks rpcctl itself what there is.
 */
#include "rpcctl.h"

#include <string.h>

/* Words are taken from the line: bash would split an address at its colons. */
static const char bash[] =
    "# Completion of rpcctl for bash: source <(rpcctl completion bash)\n"
    "_rpcctl() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} word command='' i cur=''\n"
    "    local -a words connection=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] || {\n"
    "        cur=${words[-1]}\n"
    "        unset 'words[-1]'\n"
    "    }\n"
    "    for ((i = 1; i < ${#words[@]}; i++)); do\n"
    "        word=${words[i]}\n"
    "        case $word in\n"
    "        --address | --descriptors | --token-file | --tls-* | -H)\n"
    "            connection+=(\"$word\" \"${words[i + 1]}\")\n"
    "            i=$((i + 1)) ;;\n"
    "        --address=* | --descriptors=* | --token-file=* | --tls-*=*)\n"
    "            connection+=(\"$word\") ;;\n"
    "        --timeout | --deadline | --concurrency | --rate | --duration |\\\n"
    "            --count | -o) i=$((i + 1)) ;;\n"
    "        -*) ;;\n"
    "        *://*) [[ $command ]] || connection+=(--address \"$word\") ;;\n"
    "        *) [[ $command ]] && return || command=$word ;;\n"
    "        esac\n"
    "    done\n"
    "    local program=${words[0]} list=''\n"
    "    case $command:$cur in\n"
    "    *:-*) list=$(\"$program\" $command --help 2>/dev/null |\n"
    "        grep -oE '^ +--?[a-zA-Z][a-z-]*'; \"$program\" --help |\n"
    "        grep -oE '^ +--?[a-zA-Z][a-z-]*') ;;\n"
    "    :*) list='ls describe template call health load completion' ;;\n"
    "    call:* | load:* | template:*)\n"
    "        list=$(\"$program\" \"${connection[@]}\" --timeout 2s ls -l \\\n"
    "            2>/dev/null | cut -f1) ;;\n"
    "    ls:* | health:*)\n"
    "        list=$(\"$program\" \"${connection[@]}\" --timeout 2s ls \\\n"
    "            2>/dev/null) ;;\n"
    "    describe:*)\n"
    "        list=$(\"$program\" \"${connection[@]}\" --timeout 2s ls \\\n"
    "            2>/dev/null\n"
    "            \"$program\" \"${connection[@]}\" --timeout 2s ls -l \\\n"
    "            2>/dev/null | tr '\\t' '\\n' | sed 's/^stream //') ;;\n"
    "    completion:*) list=bash ;;\n"
    "    esac\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$cur\" | sort -u)\n"
    "}\n"
    "complete -o default -F _rpcctl rpcctl\n";

int
rpcctl_completion(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[0], "bash") != 0) {
        return cli_usage(cli, "'%s': there is one for bash", argv[0]);
    }
    (void)fputs(bash, stdout);
    return 0;
}
