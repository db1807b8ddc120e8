#!/bin/sh
# initramfs.sh KERNEL BUSYBOX LIST OUT: packs board/common/initramfs, BusyBox and the modules named in LIST, as paths below
# KERNEL, into OUT.
set -eu

kernel=$1 busybox=$2 list=$3 out=$4
here=$(dirname "$0")
version=$(basename "$kernel"/lib/modules/*)
tree=$out.tree
rm -rf "$tree"
mkdir -p "$tree/bin" "$tree/sbin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/root" "$tree/esp" "$tree/lib/modules/$version"

install -m 755 "$here/initramfs/init" "$tree/init"
install -m 755 "$busybox" "$tree/bin/busybox"
for applet in cat cut dd find grep head hexdump mkdir mount readlink reboot sed sh sleep sort switch_root tr umount xargs; do
    ln -s busybox "$tree/bin/$applet"
done
# The kernel calls it by this path.
ln -s ../bin/busybox "$tree/sbin/modprobe"

cp "$kernel/lib/modules/$version"/modules.builtin* "$kernel/lib/modules/$version/modules.order" "$tree/lib/modules/$version/"
(cd "$kernel" && xargs cp --parents -t "$tree") <"$list"
depmod -b "$tree" "$version"

find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) | zstd -q -19 -T1 -f -o "$out"
rm -rf "$tree"
