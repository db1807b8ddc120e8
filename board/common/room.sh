#!/bin/sh
# room.sh FILE: fails where the root file system FILE takes more than half of a slot: the next release must fit as well.
set -eu

slot=$((128 * 1024 * 1024))
size=$(stat -c %s "$1")
if [ $((size * 2)) -gt $slot ]; then
    echo "room.sh: the root file system has $size bytes, more than half of a slot. The next release must fit as well." >&2
    exit 1
fi
