#!/bin/sh
# esp.sh BOARD GRUB MODULES OUT: makes OUT/esp.vfat, and for BIOS OUT/boot.img and OUT/core.img.
# GRUB is the folder with grub-mkimage, MODULES the one with GRUB's modules per target. MKIMAGE overrides the first.
set -eu

board=$1 mkimage=$2 modules=$3 out=$4
here=$(dirname "$0")
# shellcheck source=SCRIPTDIR/../x86_64/board
. "$board/board"
# Enough for grub.cfg; gzio unpacks the kernel of ARM.
builtin="part_gpt fat squash4 normal configfile loadenv test echo linux serial terminal regexp probe sleep reboot loopback
    hashsum gcry_sha256 datehook gzio"

# core TARGET FILE MODULE…: the prefix is the first partition of the disk that GRUB was loaded from.
core() {
    target=$1 file=$2
    shift 2
    # The modules are words on purpose.
    # shellcheck disable=SC2086
    "$mkimage" -O "$target" -d "$modules/$target" -c "$here/grub-early.cfg" -p '(,gpt1)/grub' -o "$file" $builtin "$@"
}

# Words on purpose.
# shellcheck disable=SC2086
core "$efi_target" "$out/$efi_file" $efi_modules
if [ -n "$bios_lba" ]; then
    core i386-pc "$out/core.img" biosdisk
    cp "$modules/i386-pc/boot.img" "$out/boot.img"
    "$board/bios.sh" "$out/boot.img" "$out/core.img" "$bios_lba"
fi

{
    printf '# GRUB Environment Block\nslot=a\nnext=\nfresh=1\n'
    head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >"$out/grubenv"

# grubenv comes first, so that its two sectors follow each other: it is overwritten in place, in one go.
rm -f "$out/esp.vfat"
truncate -s 64M "$out/esp.vfat"
mkfs.vfat --invariant -F 32 -s 1 -n ESP -i a4c41517 "$out/esp.vfat" >/dev/null
export MTOOLS_SKIP_CHECK=1
touch -d "@$SOURCE_DATE_EPOCH" "$out/grubenv" "$out/$efi_file"
mmd -i "$out/esp.vfat" ::/grub
mcopy -m -i "$out/esp.vfat" "$out/grubenv" ::/grub/grubenv
mcopy -i "$out/esp.vfat" "$here/grub.cfg" ::/grub/grub.cfg
mmd -i "$out/esp.vfat" ::/EFI ::/EFI/BOOT
mcopy -i "$out/esp.vfat" "$out/$efi_file" "::/EFI/BOOT/$efi_file"
