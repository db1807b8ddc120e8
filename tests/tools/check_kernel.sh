#!/bin/sh
# check_kernel.sh LINUX DIR: holds the kernel fragments of board/ against the Kconfig of a kernel tree. Every line has to be in
# the configuration that comes out, and every module that `make image` takes from Debian has to be built in. Works in DIR.
set -eu

linux=$1 work=$2
cd "$(dirname "$0")/../.."
mkdir -p "$work"
# make reads O= from where the kernel is.
work=$(cd "$work" && pwd)
failed=0

# complain SENTENCE FILE: FILE has what is wrong, if anything is.
complain() {
    [ -s "$2" ] || return 0
    echo "$1" >&2
    sed 's/^/    /' "$2" >&2
    failed=1
}

# "module CONFIG_SYMBOL" for all that the tree's makefiles can build as a module.
find "$linux" \( -name Makefile -o -name Kbuild \) -exec awk '
    { sub(/#.*/, "") }
    sub(/\\$/, "") { line = line $0; next }
    { line = line $0 }
    match(line, /^obj-\$\(CONFIG_[A-Za-z0-9_]+\)/) {
        symbol = substr(line, RSTART + 6, RLENGTH - 7)
        count = split(line, words, /[ \t=]+/)
        for (i = 2; i <= count; i++)
            if (sub(/\.o$/, "", words[i])) { gsub(/-/, "_", words[i]); print words[i], symbol }
    }
    { line = "" }' {} + >"$work/names"

for arch in x86_64 aarch64; do
    out=$work/$arch
    mkdir -p "$out"
    cat board/common/linux.config board/common/linux-*.fragment "board/$arch/linux.fragment" >"$out/wanted"

    cut -d= -f1 "$out/wanted" | grep '^CONFIG_' | sort | uniq -d >"$out/twice"
    complain "$arch: named twice in the fragments:" "$out/twice"

    cp "$out/wanted" "$out/.config"
    case $arch in aarch64) kernel_arch=arm64 ;; *) kernel_arch=$arch ;; esac
    make -s -C "$linux" O="$out" ARCH="$kernel_arch" olddefconfig >"$out/log" 2>&1 || { cat "$out/log" >&2; exit 1; }
    grep -E '^(CONFIG_|# CONFIG_.* is not set$)' "$out/wanted" | while IFS= read -r line; do
        name=${line#\# } name=${name%%[= ]*}
        case $line in
            '#'*) ! grep -q "^$name=" "$out/.config" || echo "$line" ;;
            *) grep -qxF -- "$line" "$out/.config" || echo "$line" ;;
        esac
    done >"$out/lost"
    complain "$arch: what the fragments say, but the kernel does not take:" "$out/lost"

    sed 's/#.*//' board/common/modules/* "board/$arch/modules"/* | awk 'NF { print $1 }' | while read -r module; do
        symbols=$(awk -v module="$module" '$1 == module { print $2 }' "$work/names")
        [ -n "$symbols" ] || continue
        built=
        for symbol in $symbols; do ! grep -q "^$symbol=y" "$out/.config" || built=yes; done
        # The lists are words on purpose.
        # shellcheck disable=SC2086
        [ -n "$built" ] || echo "$module:" $symbols
    done >"$out/missing"
    complain "$arch: what make image has as a module, but make firmware has not built in:" "$out/missing"
    echo "$arch: $(grep -c '^CONFIG_' "$out/wanted") lines of fragments held against the kernel $(make -s -C "$linux" kernelversion)."
done
exit "$failed"
