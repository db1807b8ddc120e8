#!/bin/sh
# check_firmware.sh TOOLS DIR: holds buildroot/ against a real tree of Buildroot, BUILDROOT, and the kernel fragments against a
# real tree of Linux, LINUX; builds nothing of them. Works in DIR. What is not set is not checked, and said so.
set -eu

tools=$1 work=$2
cd "$(dirname "$0")/../.."
external=$PWD/buildroot
failed=0
if [ -n "${LINUX:-}" ]; then
    tests/tools/check_kernel.sh "$LINUX" "$work/linux" || failed=1
else
    echo "LINUX is not set: the kernel fragments were not checked. LINUX=DIR names a tree of Linux."
fi
if [ -z "${BUILDROOT:-}" ]; then
    echo "BUILDROOT is not set: nothing of buildroot/ was checked. BUILDROOT=DIR names a tree of Buildroot."
    exit "$failed"
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
buildroot() { make --no-print-directory -s -C "$BUILDROOT" O="$out" BR2_EXTERNAL="$external" "$@"; }
# complain SENTENCE FILE: FILE has what is wrong, if anything is.
complain() {
    [ -s "$2" ] || return 0
    echo "$1" >&2
    sed 's/^/    /' "$2" >&2
    failed=1
}

for arch in x86_64 aarch64; do
    name=archivista_${arch}_defconfig
    out=$work/$arch
    buildroot "$name" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    grep BR2_ "$external/configs/$name" | grep -vxF -f "$out/.config" >"$work/lost" || true
    complain "$name: symbols that Buildroot does not take:" "$work/lost"
    buildroot BR2_DEFCONFIG="$out/saved" savedefconfig
    diff -u "$external/configs/$name" "$out/saved" >"$work/changed" || true
    complain "$name: not what savedefconfig writes:" "$work/changed"

    files="LINUX_KCONFIG_FILE LINUX_KCONFIG_FRAGMENT_FILES BUSYBOX_KCONFIG_FRAGMENT_FILES BR2_ROOTFS_OVERLAY
        BR2_ROOTFS_POST_BUILD_SCRIPT BR2_ROOTFS_POST_IMAGE_SCRIPT BR2_GLOBAL_PATCH_DIR"
    for file in $(buildroot printvars VARS="$files" | cut -d= -f2- | tr -d '"'); do
        [ -e "$file" ] || echo "$file"
    done >"$work/absent"
    complain "$name: files that are not there:" "$work/absent"
    buildroot show-info >"$out/show-info.json"
    for package in archivista busybox e2fsprogs grub2 linux musl; do
        grep -q "\"$package\": {" "$out/show-info.json" || echo "$package"
    done >"$work/absent"
    complain "$name: packages that are not part of it:" "$work/absent"
    echo "$name: $(grep -c BR2_ "$out/saved") symbols held against Buildroot $(buildroot print-version)."
done

grep -o 'CONFIG_[A-Z0-9_]*' board/common/busybox.fragment | while read -r symbol; do
    grep -qE "^(# )?${symbol}[ =]" "$BUILDROOT/package/busybox/busybox.config" || echo "$symbol"
done >"$work/lost"
complain "board/common/busybox.fragment: symbols that BusyBox does not know:" "$work/lost"

# The copy of this tree that the package is built from: cargo finds every manifest and crate in it.
out=$work/x86_64
copy=$out/build/archivista
rm -rf "$copy"
buildroot archivista-rsync >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
mkdir "$copy/.cargo"
(cd "$copy" && cargo vendor --quiet --locked VENDOR >.cargo/config.toml && cargo metadata --offline --locked --format-version 1) >/dev/null

tests/tools/python.sh "$tools" check_package
PATH="$PWD/$tools/check_package/bin:$PATH"
export PATH
find buildroot board/common/post-*.sh ! -type d -exec python3 "$BUILDROOT/utils/check-package" --br2-external {} + || failed=1
exit "$failed"
