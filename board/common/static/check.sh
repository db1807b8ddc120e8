#!/bin/sh
# check.sh ARCH FILE: fails unless FILE is a program for ARCH that needs no other file, may be loaded at any address, is
# stripped, and leaves room in the image.
set -eu

arch=$1 file=$2
# Bytes: what is aimed at, and what is too much.
aim=$((8 * 1000 * 1000)) most=$((13 * 1000 * 1000))

fail() {
    echo "$file: $1" >&2
    exit 1
}

case $arch in x86_64) machine=X86-64 ;; *) machine=AArch64 ;; esac
headers=$(LC_ALL=C readelf --wide --file-header --program-headers --section-headers "$file")
echo "$headers" | grep -q "Machine: .*$machine" || fail "is not a program for $arch"
echo "$headers" | grep -q 'Type: *DYN' || fail 'has a fixed address: it is not static-pie'
! echo "$headers" | grep -q '^ *INTERP' || fail 'asks for a dynamic loader (INTERP): it is not static'
! readelf --dynamic "$file" | grep -q '(NEEDED)' || fail 'needs libraries: it is not static'
! echo "$headers" | grep -q ' \.symtab ' || fail 'is not stripped'
size=$(wc -c <"$file")
[ "$size" -lt "$most" ] || fail "takes $size bytes; $((most - 1)) are allowed"
missed=''
[ "$size" -lt "$aim" ] || missed="; the aim of less than $aim bytes is missed"
echo "$file: $size bytes, static-pie, stripped$missed"
