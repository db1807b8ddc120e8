#!/bin/sh
# post-image.sh BINARIES_DIR ARCH: what Buildroot calls when the root file system is packed: puts disk.img together with the files
# and scripts that `make image` uses.
set -eu

images=$1 arch=$2
here=$(cd "$(dirname "$0")" && pwd)
board=$here/../$arch

cp "$images/rootfs.squashfs" "$images/root.squashfs"
"$here/room.sh" "$images/root.squashfs"
"$here/esp.sh" "$board" "$HOST_DIR/bin/grub-mkimage" "$images/grub" "$images"
rm -rf "$BUILD_DIR/genimage.tmp" "$BUILD_DIR/genimage.root"
mkdir "$BUILD_DIR/genimage.root"
genimage --config genimage.cfg --includepath "$board:$here" --inputpath "$images" --outputpath "$images" \
    --tmppath "$BUILD_DIR/genimage.tmp" --rootpath "$BUILD_DIR/genimage.root" --loglevel 1
