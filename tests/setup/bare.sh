#!/bin/sh
# Try `make demo` and `make test` in a bare Debian 12 that has nothing but make
# and ca-certificates. Needs root, debootstrap, git, and some 4 GB of space.
#   sh tests/setup/bare.sh [FOLDER [TARGET...]]
# FOLDER is used for the tree, and kept; without it a temporary one is used and
# removed. What is tried is the commit that is checked out. Packages come from
# where this machine's apt gets them.
set -eu

suite=bookworm
if [ "$(id -u)" -ne 0 ]; then
    echo 'bare: needs root, for debootstrap and chroot' >&2
    exit 1
fi
# Mounts in a name space of our own go with it, whatever happens. Processes of
# the tree do too.
if [ "${BARE_INSIDE:-}" != 1 ]; then
    BARE_INSIDE=1 exec unshare --mount --pid --fork --kill-child \
        sh "$0" "$@"
fi

if [ $# -gt 0 ]; then
    tree=$1
    shift
    mkdir -p "$tree"
    tree=$(cd "$tree" && pwd)
else
    tree=$(mktemp -d)
    trap 'umount -R "$tree/proc" "$tree/dev" 2>/dev/null || true
        rm -rf --one-file-system "$tree"' EXIT
fi
if [ $# -eq 0 ]; then
    set -- demo test
fi

# This machine's own sources of the suite, as "uri release component".
# shellcheck disable=SC2016 # apt expands it
sources=$(apt-get indextargets \
    --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    awk -v suite="$suite" 'index($2, suite) == 1 && !seen[$0]++')
mirror=$(echo "$sources" | awk -v suite="$suite" '$2 == suite { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "bare: this machine's apt knows no entry of $suite" >&2
    exit 1
fi

if [ ! -e "$tree/etc/debian_version" ]; then
    echo "bare: making a tree of $suite"
    debootstrap --variant=minbase --include=make,ca-certificates "$suite" \
        "$tree" "$mirror" >"$tree.log" 2>&1 || {
        tail -n 20 "$tree.log" >&2
        exit 1
    }
    rm -f "$tree.log"
fi
echo "$sources" | sed 's/^/deb /' >"$tree/etc/apt/sources.list"
apt-config dump | grep -i '^Acquire::[a-z]*::Proxy' \
    >"$tree/etc/apt/apt.conf.d/90proxy" || true
cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"

mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"

rm -rf "$tree/srv/project"
mkdir -p "$tree/srv/project"
git archive --format=tar HEAD | tar -x -C "$tree/srv/project"

for target in "$@"; do
    echo "bare: make $target"
    started=$(date +%s)
    chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 sh -c "cd /srv/project && make $target"
    echo "bare: make $target took $(($(date +%s) - started)) s"
done
echo 'bare: all well'
