# SPDX-License-Identifier: Apache-2.0
# Common parts of the scripts: sourced, never run.

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
tests_at_once=$((jobs * 4)) # most of them wait for a server or a time-out

# Linking some hundred test programs takes as long as compiling them; not with this linker, where it is installed.
linker=
command -v mold >/dev/null 2>&1 && linker=-Dc_link_args=-fuse-ld=mold

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# quietly COMMAND...: without its output, but with the end of it when it fails.
quietly() {
    quietly_log=$(mktemp "${TMPDIR:-/tmp}/coras-log.XXXXXX")
    quietly_status=0
    "$@" >"$quietly_log" 2>&1 </dev/null || quietly_status=$?
    if [ $quietly_status -ne 0 ]; then
        tail -n 40 "$quietly_log" >&2
        printf '%s: failed with status %d: %s\n' "${0##*/}" $quietly_status "$*" >&2
    fi
    rm -f "$quietly_log"
    return $quietly_status
}

# configure DIR [meson options]: a build directory that exists gets the options that are given.
configure() {
    dir=$1; shift
    if [ ! -f "$dir/build.ninja" ]; then
        quietly meson setup "$dir" "$top" $linker "$@"
    elif [ $# -gt 0 ]; then
        quietly meson configure "$dir" $linker "$@"
    fi
}

# Files of ours in C, one on each line.
c_files() { git -C "$top" ls-files '*.c' '*.h'; }

project_version() { sed -n "s/^ *version: '\(.*\)',/\1/p" "$top/meson.build" | head -n 1; }

# write_checksums DIR: the SHA-256 of everything there that belongs to this version.
write_checksums() {
    checksums=coras_$(project_version)_checksums.txt
    (cd "$1" && find . -maxdepth 1 -type f -name "*oras*$(project_version)*" ! -name '*_checksums.txt*' -printf '%P\n' |
        LC_ALL=C sort | xargs sha256sum >"$checksums.new" && mv "$checksums.new" "$checksums")
}

# copy_committed DIR: the files that are committed, as they are now, and no others.
copy_committed() {
    mkdir -p "$1"
    (cd "$top" && git ls-files -z | xargs -0 ls -d 2>/dev/null) | tar -C "$top" -cf - -T - | tar -C "$1" -xf -
}
