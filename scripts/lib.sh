# Common parts of the scripts: sourced, never run.

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
tests_at_once=$((jobs * 2)) # most of them wait for a server or a time-out

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# configure DIR [meson options]: a build directory that exists is used as it is.
configure() {
    dir=$1; shift
    [ -f "$dir/build.ninja" ] || meson setup "$dir" "$top" "$@"
}

# Files of ours in C, one on each line.
c_files() { git -C "$top" ls-files '*.c' '*.h'; }
