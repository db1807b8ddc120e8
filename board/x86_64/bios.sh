#!/bin/sh
# bios.sh BOOT_IMG CORE_IMG LBA: makes GRUB's two stages for BIOS find each other by place, so that no installer has to
# run: BOOT_IMG, which goes to the first 440 bytes of the disk, loads the first sector of CORE_IMG from LBA; that one
# loads the rest, which follows it. Both files are changed in place.
set -eu

boot=$1 core=$2 lba=$3

# little_endian NUMBER BYTES, for printf
little_endian() {
    number=$1 left=$2 bytes=
    while [ "$left" -gt 0 ]; do
        bytes="$bytes\\$(printf %03o $((number % 256)))"
        number=$((number / 256)) left=$((left - 1))
    done
    printf %s "$bytes"
}

# patch FILE OFFSET BYTES
patch() {
    # The bytes are a format on purpose.
    # shellcheck disable=SC2059
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Offsets and values as grub-setup has them: kernel_sector, and the jump over the check for BIOSes that hand over a wrong
# drive number, which a hard disk shall not take.
truncate -s 440 "$boot"
patch "$boot" 92 "$(little_endian "$lba" 8)"
patch "$boot" 102 '\220\220'

# The block list at the end of the first sector: start, sectors, segment.
size=$(stat -c %s "$core")
sectors=$(((size + 511) / 512))
truncate -s $((sectors * 512)) "$core"
patch "$core" 500 "$(little_endian $((lba + 1)) 8)$(little_endian $((sectors - 1)) 2)$(little_endian $((0x820)) 2)"
