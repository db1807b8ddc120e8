#!/bin/sh
# unpack.sh DIR PACKAGE…: puts the files of Debian packages below DIR without installing them, for those that would drive each
# other out: every mail server conflicts with every other one. Does nothing where they are there already.
set -eu

dir=$1
shift
mark=$dir/unpacked
[ "$(cat "$mark" 2>/dev/null || true)" != "$*" ] || exit 0

rm -rf "$dir"
mkdir -p "$dir/packages"
cd "$dir/packages"
apt-get -q download "$@" 2>/dev/null || {
    if [ "$(id -u)" = 0 ]; then apt-get -q update; else sudo -n apt-get -q update; fi
    apt-get -q download "$@"
}
for package in *.deb; do
    dpkg-deb --extract "$package" ..
done
cd ..
rm -r packages
echo "$*" >unpacked
