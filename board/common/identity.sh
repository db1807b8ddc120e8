#!/bin/sh
# identity.sh TREE: writes into the root file system TREE what it is. SOURCE_DATE_EPOCH is its time, VERSION its version.
set -eu

# The program's floor for the clock, and the release.
mkdir -p "$1/etc/archivista"
echo "$SOURCE_DATE_EPOCH $VERSION" >"$1/etc/archivista/build"
cat >"$1/etc/os-release" <<END
NAME="Archivista Box"
ID=archivista
VERSION_ID=$VERSION
PRETTY_NAME="Archivista Box $VERSION"
END
