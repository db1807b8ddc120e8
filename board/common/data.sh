#!/bin/sh
# data.sh OUT: makes OUT/data.ext4, the blank data file system, and OUT/data.ext4.zst, the same for the installer.
# It is as small as a journal of 16 MiB allows; the box grows it to the end of its disk.
set -eu

out=$1
export MKE2FS_CONFIG="${0%/*}/mke2fs.conf"
rm -f "$out/data.ext4"
truncate -s 64M "$out/data.ext4"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -L data -J size=16 -e remount-ro \
    -U a4c41517-0000-4000-8000-0000000da7a0 -E hash_seed=a4c41517-0000-4000-8000-0000000da7a1,lazy_itable_init=0 "$out/data.ext4"
zstd -q -19 -T1 -f -o "$out/data.ext4.zst" "$out/data.ext4"
