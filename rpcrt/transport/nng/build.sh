#!/bin/sh
# Builds nng with our fixes as a static library:
#
#   sh rpcrt/transport/nng/build.sh BUILD_DIR VARIANT CC
#
# VARIANT is release, asan, tsan or fuzz. The result is BUILD_DIR/VARIANT/nng/
# with lib/libnng.a and include/. The source is Debian's package of nng, got
# through apt from the machine's own entries without root and without touching
# apt's state, or the tree that NNG_SOURCE names (as `apt-get source` leaves
# it). patches/ goes on top, in name order. Does nothing when up to date.
#
# Needs apt, dpkg-dev, patch, cmake, make and a C compiler.
set -eu

version=1.5.2

say() {
    printf 'nng: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Run a command into the log; show the end of the log if it fails.
logged() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "failed: $* (all of it: $log)"
    fi
}

[ $# -eq 3 ] || fail "usage: build.sh BUILD_DIR release|asan|tsan|fuzz CC"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
build=$(cd "$1" && pwd)
variant=$2
cc=$3

# Asserts stay on in every variant (no -DNDEBUG): they guard against use of
# memory that is gone.
launcher=
case $variant in
release)
    launcher="sh;$here/seldom.sh"
    # What nobody uses drops out when it is linked. No exception passes through
    # nng; debuggers read the unwind tables that -g makes.
    flags='-O2 -ffunction-sections -fdata-sections'
    flags="$flags -fno-asynchronous-unwind-tables"
    ;;
asan | fuzz) flags='-O1 -fsanitize=address,undefined -fno-sanitize-recover=all' ;;
tsan) flags='-O1 -fsanitize=thread -DNNG_RACE_DETECTOR' ;;
*) fail "unknown variant: $variant" ;;
esac
flags="$flags -g -fPIC -fvisibility=hidden -fno-common"
flags="$flags -fno-omit-frame-pointer"

src=$build/nng-src
out=$build/$variant/nng
mkdir -p "$src" "$out"

# -- is there anything to do? -------------------------------------------------

source_sum() {
    {
        cat "$here"/build.sh "$here"/seldom.sh "$here"/patches/*.patch
        if [ -n "${NNG_SOURCE:-}" ]; then
            find "$NNG_SOURCE" -type f -exec sha256sum {} + | sort
        fi
    } | sha256sum | cut -d ' ' -f 1
}

sum=$(source_sum)
want="$sum $variant $cc $($cc --version 2>/dev/null | head -n 1)"

up_to_date() {
    [ -f "$out/lib/libnng.a" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$want" ]
}

up_to_date && exit 0

# Variants may be built at the same time; the source is unpacked once.
exec 9>"$src/lock"
flock 9

# -- the source ---------------------------------------------------------------

# Write the machine's entries for this Debian release as source entries to
# sources/; other suites could offer other versions.
write_sources() {
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')
    [ -n "$codename" ] || fail "no VERSION_CODENAME in /etc/os-release"
    rm -rf "$src/apt/sources"
    mkdir -p "$src/apt/sources"
    # One paragraph a repository; a line that starts with a blank continues
    # the field before.
    for list in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$list" ] || { cat "$list" && echo; }
    done | awk -v codename="$codename" '
        function suites_of(text,    words, n, i, kept) {
            n = split(text, words)
            for (i = 1; i <= n; i++)
                if (words[i] == codename || words[i] == codename "-updates" ||
                    words[i] == codename "-security")
                    kept = kept " " words[i]
            return kept
        }
        function flush_paragraph(    kept) {
            kept = suites_of(suites)
            if (types ~ /(^| )deb/ && kept != "" && enabled !~ /^ *(no|false)/)
                printf "Types: deb-src\nSuites:%s\n%s\n", kept, rest
            types = suites = enabled = rest = field = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush_paragraph(); next }
        {
            value = $0
            if ($0 ~ /^[^ \t]/) {
                field = tolower($0)
                sub(/:.*/, "", field)
                sub(/^[^:]*:/, "", value)
            }
            if (field == "types") types = types " " value
            else if (field == "suites") suites = suites " " value
            else if (field == "enabled") enabled = value
            else rest = rest $0 "\n"
        }
        END { flush_paragraph() }
    ' >"$src/apt/sources/deb822.sources"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$list" ] || { cat "$list" && echo; }
    done | awk -v codename="$codename" '
        $1 == "deb" || $1 == "deb-src" {
            i = 2
            if ($i ~ /^\[/) {
                while (i < NF && $i !~ /\]$/) i++
                i++
            }
            suite = $(i + 1)
            sub(/\/updates$/, "-security", suite)
            if (suite == codename || suite == codename "-updates" ||
                suite == codename "-security") {
                $1 = "deb-src"
                print
            }
        }
    ' | sort -u >"$src/apt/sources/oneline.list"
    [ -s "$src/apt/sources/deb822.sources" ] ||
        [ -s "$src/apt/sources/oneline.list" ] ||
        fail "apt knows no entry of Debian $codename; give NNG_SOURCE=DIR"
}

# apt-get with a state of its own.
own_apt() {
    set -- apt-get -q \
        -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$src/apt/sources" \
        -o Dir::State::lists="$src/apt/lists" \
        -o Dir::Cache="$src/apt/cache" \
        -o Dir::Cache::archives="$src/apt/cache/archives" \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
    if [ "$(id -u)" -eq 0 ]; then
        # Else apt tries another user, who may not see our directory.
        set -- "$@" -o APT::Sandbox::User=root
    fi
    logged "$@"
}

# The description of the source package in a directory, if it is there.
dsc_in() {
    find "$1" -maxdepth 1 -name "nng_$version-*.dsc" 2>/dev/null | head -n 1
}

download() {
    [ -z "$(dsc_in "$src/download")" ] || return 0
    command -v apt-get >/dev/null || fail "no apt-get; give NNG_SOURCE=DIR"
    command -v dpkg-source >/dev/null || fail "no dpkg-source (dpkg-dev)"
    say "getting the source of nng $version through apt"
    mkdir -p "$src/apt/lists/partial" "$src/apt/cache/archives/partial"
    write_sources
    rm -rf "$src/download" "$src/download.part"
    mkdir -p "$src/download.part"
    own_apt update
    cd "$src/download.part"
    own_apt source --download-only --only-source nng
    cd "$src"
    [ -n "$(dsc_in "$src/download.part")" ] ||
        fail "Debian's nng is not $version any more, which the patches are for"
    mv "$src/download.part" "$src/download"
    rm -rf "$src/apt"
}

unpack() {
    rm -rf "$src/tree" "$src/tree.part" "$src/stamp"
    if [ -n "${NNG_SOURCE:-}" ]; then
        [ -f "$NNG_SOURCE/include/nng/nng.h" ] ||
            fail "NNG_SOURCE=$NNG_SOURCE is no source of nng"
        cp -R "$NNG_SOURCE" "$src/tree.part"
    else
        download
        logged dpkg-source --no-copy -x "$(dsc_in "$src/download")" \
            "$src/tree.part"
    fi
    for patch in "$here"/patches/*.patch; do
        logged patch -d "$src/tree.part" -p1 --fuzz=0 --batch --forward \
            -i "$patch"
    done
    mv "$src/tree.part" "$src/tree"
    printf '%s\n' "$sum" >"$src/stamp"
}

log=$src/log
if [ ! -d "$src/tree" ] || [ "$(cat "$src/stamp" 2>/dev/null)" != "$sum" ]; then
    : >"$log"
    unpack
fi

# -- the library --------------------------------------------------------------

# The TLS transport without an engine: ours is registered at run time, see
# tls.h. NNG_SUPP_TLS is what the build otherwise sets with an engine.
# Criterion brings nanomsg, so nng's emulation of it must not be linked.
log=$out/log
rm -rf "$out"
mkdir -p "$out/obj" "$out/lib"
: >"$log"
unset MAKEFLAGS MFLAGS MAKELEVEL
say "building it ($variant)"
CC=$cc CFLAGS='' logged cmake -S "$src/tree" -B "$out/obj" \
    -G 'Unix Makefiles' \
    -DCMAKE_C_COMPILER_LAUNCHER="$launcher" \
    -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags -DNNG_SUPP_TLS" \
    -DBUILD_SHARED_LIBS=OFF -DNNG_TESTS=OFF -DNNG_TOOLS=OFF \
    -DNNG_ENABLE_NNGCAT=OFF -DNNG_ENABLE_STATS=OFF -DNNG_ENABLE_HTTP=OFF \
    -DNNG_ENABLE_TLS=ON -DNNG_TLS_ENGINE=none -DNNG_TRANSPORT_TLS=ON \
    -DNNG_TRANSPORT_WS=OFF -DNNG_TRANSPORT_WSS=OFF
logged cmake --build "$out/obj" --target nng -- "-j$(nproc)"
cp "$out/obj/libnng.a" "$out/lib/libnng.a"
logged ar d "$out/lib/libnng.a" nn.c.o
cp -R "$src/tree/include" "$out/include"
printf '%s\n' "$want" >"$out/stamp"
