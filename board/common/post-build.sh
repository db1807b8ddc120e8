#!/bin/sh
# post-build.sh TARGET_DIR ARCH: what Buildroot calls when everything is installed and rootfs-overlay is laid over it. Leaves in
# the root file system what the image of `make image` has, no more; runs any number of times.
set -eu

target=$1
here=$(cd "$(dirname "$0")" && pwd)

# GRUB's modules and its first stage are for the disk, not for the slot.
if [ -d "$target/lib/grub" ]; then
    rm -rf "$BINARIES_DIR/grub"
    mv "$target/lib/grub" "$BINARIES_DIR/grub"
fi
(cd "$target" && rm -rf boot share etc/grub.d etc/default/grub bin/grub-* sbin/grub-*)

# Packages bring start scripts and tables of file systems; the box starts one program and mounts by itself.
for script in "$target"/etc/init.d/*; do
    [ -e "$here/../../rootfs-overlay/etc/init.d/${script##*/}" ] || rm -f "$script"
done
rm -rf "$target/etc/fstab" "$target/etc/network" "$target/etc/mke2fs.conf"

# Of e2fsprogs the box needs e2fsck.
(cd "$target/sbin" && rm -f badblocks dumpe2fs e2freefrag e2label e2mmpstatus e2undo e4crypt filefrag fsck.ext? logsave \
    mke2fs mkfs.ext? mklost+found tune2fs)

# No module is there to be loaded; modprobe shall find that out without a word.
release=$(sed -n 's/^BR2_LINUX_KERNEL_VERSION="\(.*\)"$/\1/p' "$BR2_CONFIG")
install -d "$target/data" "$target/lib/modules/$release" "$target/usr/share/archivista"
: >"$target/lib/modules/$release/modules.dep"

"$here/identity.sh" "$target"
"$here/data.sh" "$BINARIES_DIR"
install -m 0644 "$BINARIES_DIR/data.ext4.zst" "$target/usr/share/archivista/"

# What GRUB reads of a slot. The sums are by name, as `hashsum --check` wants them. There is no initrd.
install -d "$target/boot"
# shellcheck source=SCRIPTDIR/../x86_64/board
. "$here/../$2/board"
for kernel in bzImage Image; do
    # shellcheck disable=SC2154
    [ ! -e "$BINARIES_DIR/$kernel" ] || $kernel_pack <"$BINARIES_DIR/$kernel" >"$target/boot/kernel"
done
chmod 644 "$target/boot/kernel"
install -m 0644 "$here/options.cfg" "$target/boot/"
(cd "$target/boot" && sha256sum kernel options.cfg >sha256)
