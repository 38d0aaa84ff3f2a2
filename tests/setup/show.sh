# shellcheck shell=sh disable=SC2034
# For scripts that show programs at work (read with "."): headings, commands
# written as one would type them, and daemons that are waited for.

heading() {
    printf '\n== %s\n\n' "$1"
}

# A remark on what comes.
note() {
    printf '# %s\n' "$@"
}

# Write a command as one would type it.
say_command() {
    printf '$'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@+,-]* | '') printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# Write it, and run it.
show() {
    say_command "$@"
    "$@"
}

# The same for one that prints a value and nothing behind it.
show_value() {
    say_command "$@"
    value=$("$@")
    printf '%s\n' "$value"
}

# The same for one that must end in a status: show_refused STATUS COMMAND...
show_refused() {
    wanted=$1
    shift
    say_command "$@"
    code=0
    "$@" 2>&1 || code=$?
    expect "$((64 + wanted))" "$code"
    echo "(exit code 64 + $wanted)"
}

# expect WANTED GOT
expect() {
    if [ "$2" != "$1" ]; then
        echo "${0##*/}: expected '$1', got '$2'" >&2
        exit 1
    fi
}

# Start a daemon in the background and wait until it listens, N times for N
# addresses: daemon_start N COMMAND... Sets pid and addresses, and writes
# NAME.log and NAME.pid.
daemon_start() {
    n_listens=$1
    shift
    : >"$1.out"
    "$@" >>"$1.out" 2>>"$1.log" &
    pid=$!
    echo "$pid" >"$1.pid"
    while [ "$(grep -c 'listening on' "$1.out")" -lt "$n_listens" ]; do
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "${0##*/}: $1 did not start" >&2
            exit 1
        fi
        sleep 0.02
    done
    addresses=$(sed -n 's/.* listening on //p' "$1.out")
}

# Send a signal to a daemon that was started here, and wait for its end; sets
# code to its exit code: daemon_stop NAME SIGNAL
daemon_stop() {
    code=0
    if [ -s "$1.pid" ]; then
        pid=$(cat "$1.pid")
        rm -f "$1.pid"
        kill "-$2" "$pid" 2>/dev/null || true
        { wait "$pid" || code=$?; } 2>/dev/null
    fi
}
