#!/bin/sh
# formats.sh ARCH DISK OUT FORMAT…: what is handed out of the image DISK: compressed as it is, and as virtual disks, with their sums in OUT/SHA256SUMS.
set -eu

arch=$1 disk=$2 out=$3
shift 3
name=archivista-box-$arch
# Both slots hold the same bytes: the dictionary reaches from one to the other. More threads would cut them apart.
xz --stdout --threads=1 --check=crc32 --lzma2=preset=1,dict=192MiB "$disk" >"$out/$name.img.xz"
files=$name.img.xz
for format in "$@"; do
    file=$name.$format
    case $format in
        qcow2) qemu-img convert -f raw -O qcow2 -c "$disk" "$out/$file" ;;
        vmdk)
            qemu-img convert -f raw -O vmdk -o adapter_type=lsilogic "$disk" "$out/$file"
            # qemu-img draws the content id at random, as text of eight digits.
            at=$(grep -abo -m 1 '^CID=[0-9a-f]*' "$out/$file" | cut -d: -f1)
            printf 'CID=%.8s' "$(sha256sum "$disk")" | dd of="$out/$file" bs=1 seek="$at" conv=notrunc status=none
            ;;
    esac
    files="$files $file"
done
# The names are words on purpose.
# shellcheck disable=SC2086
(cd "$out" && sha256sum $files sbom.cdx.json >SHA256SUMS)
