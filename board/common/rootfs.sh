#!/bin/sh
# rootfs.sh TREE BUSYBOX E2FSCK PROGRAM KERNEL LIST: puts the root file system together in TREE, all but /boot: the overlay,
# BusyBox, the file system check, the program, and the modules named in LIST, as paths below KERNEL.
# APPLETS names the file with BusyBox's applets, VERSION the version of the program.
set -eu

tree=$1 busybox=$2 e2fsck=$3 program=$4 kernel=$5 list=$6
overlay=$(dirname "$0")/../../rootfs-overlay
release=$(basename "$kernel"/lib/modules/*)
rm -rf "$tree"
mkdir -p "$tree"
for directory in bin boot data dev etc/archivista lib/modules proc root run sbin sys tmp usr/bin usr/sbin usr/share/archivista var; do
    mkdir -p "$tree/$directory"
done
# What is in /run and /tmp is in memory; nothing else is written but /data.
ln -s ../run "$tree/var/run"
ln -s ../tmp "$tree/var/tmp"

cp -R "$overlay/." "$tree/"
install -m 755 "$busybox" "$tree/bin/busybox"
while read -r applet; do
    case $applet in bin/busybox | linuxrc) continue ;; esac
    ln -s /bin/busybox "$tree/$applet"
done <"$APPLETS"
# The kernel and BusyBox call these by these paths.
for applet in init mdev modprobe poweroff reboot; do
    [ -L "$tree/sbin/$applet" ] || ln -s ../bin/busybox "$tree/sbin/$applet"
done
install -m 755 "$e2fsck" "$tree/sbin/e2fsck"
install -m 755 "$program" "$tree/usr/bin/archivista"

mkdir -p "$tree/lib/modules/$release"
cp "$kernel/lib/modules/$release"/modules.builtin* "$kernel/lib/modules/$release/modules.order" "$tree/lib/modules/$release/"
tree_path=$(cd "$tree" && pwd)
(cd "$kernel" && xargs cp --parents -t "$tree_path") <"$list"
depmod -b "$tree" "$release"

"$(dirname "$0")/identity.sh" "$tree"
chmod -R u=rwX,go=rX "$tree"
