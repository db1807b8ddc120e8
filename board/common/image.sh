#!/bin/sh
# image.sh ARCH SUITE PROGRAM OUT: puts the image of the box together, OUT/disk.img, from Debian's packages of SUITE and
# PROGRAM, without root and without loop devices. Downloads are kept in OUT/../debs.
# SOURCE_DATE_EPOCH is the time of everything in it, VERSION the version: same inputs, same bytes.
set -eu

arch=$1 suite=$2 program=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
board=$here/../$arch
# shellcheck source=SCRIPTDIR/../x86_64/board
. "$board/board"
umask 022
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH VERSION
mkdir -p "$out" "$out/../debs"
out=$(cd "$out" && pwd)
debs=$(cd "$out/../debs" && pwd)
work=$out/work
rm -rf "$work"
mkdir -p "$work"

# The tools are of this machine's architecture, but of the same release as what they work on.
# shellcheck disable=SC2086
"$here/unpack.sh" "$suite" "$debian_arch" "$debs" "$work/packages" "$kernel_package" busybox-static e2fsck-static $grub_packages
"$here/unpack.sh" "$suite" "$(dpkg --print-architecture)" "$debs" "$work/tools" busybox-static grub-common
kernel=$(find "$work/packages/" -path '*/lib/modules' -prune -printf '%h\n' | sed 's,/lib$,,')
busybox=$(find "$work/packages/" -path '*/bin/busybox')
e2fsck=$(find "$work/packages/" -name e2fsck.static)
version=$(basename "$kernel"/lib/modules/*)

for part in initramfs root; do
    "$here/modules.sh" "$kernel" "$here/modules/$part" "$board/modules/$part" >"$work/modules.$part"
done
cat "$work/modules.initramfs" "$work/modules.root" | sort -u >"$work/modules"
"$(find "$work/tools/" -path '*/bin/busybox')" --list-full >"$work/applets"
tree=$work/root
APPLETS=$work/applets "$here/rootfs.sh" "$tree" "$busybox" "$e2fsck" "$program" "$kernel" "$work/modules"

"$here/data.sh" "$work"
cp "$work/data.ext4.zst" "$tree/usr/share/archivista/"
# What GRUB reads of a slot. The sums are by name, as `hashsum --check` wants them.
$kernel_pack <"$work/packages/boot/vmlinuz-$version" >"$tree/boot/kernel"
"$here/initramfs.sh" "$kernel" "$busybox" "$work/modules.initramfs" "$tree/boot/initrd"
cp "$here/options.cfg" "$tree/boot/"
(cd "$tree/boot" && sha256sum initrd kernel options.cfg >sha256)
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
# GRUB reads squashfs with xz, not with zstd. It unpacks a whole block for each 4 KiB that it reads for a sum: /boot, which
# is compressed by itself, stays as it is.
mksquashfs "$tree" "$work/root.squashfs" -quiet -no-progress -noappend -all-root -no-xattrs -comp xz -b 256K -processors 2 \
    -action "uncompressed @ subpathname(boot)"
"$here/room.sh" "$work/root.squashfs"

"$here/esp.sh" "$board" "$(find "$work/tools/" -path '*/bin/grub-mkimage')" "$(find "$work/packages/" -path '*/lib/grub')" "$work"
(cd "$work" && rm -rf genimage.tmp empty && mkdir empty &&
    genimage --config genimage.cfg --includepath "$board:$here" --inputpath "$work" --outputpath "$out" \
        --tmppath genimage.tmp --rootpath empty --loglevel 1)
