#!/bin/sh
# std.sh DIR ARCH: the libraries for ARCH-unknown-linux-musl beside those that the compiler in DIR/rust has, once: musl as
# Debian has it, the unwinder from Zig's sources, and Rust's standard library from Debian's. Then the compiler builds for
# that target like for any other.
set -eu

dir=$1 arch=$2 target=$2-unknown-linux-musl
here=$(cd "$(dirname "$0")" && pwd)
lib=$dir/rust/usr/lib/rustlib/$target
wanted=$(cat "$0" "$dir/rust/made-by" "$dir/ziglang/zig.txt" | sha256sum)
[ "$wanted" != "$(cat "$lib/made-by" 2>/dev/null)" ] || exit 0

echo "Making the libraries for $target …" >&2
work=$dir/$target
own=$work/lib/lib/self-contained
rm -rf "$work" "$lib"
mkdir -p "$work/src" "$work/objects" "$own"

case $arch in x86_64) debian=amd64 ;; aarch64) debian=arm64 ;; esac
deb=$("$here/../debs.sh" "$(cat "$dir/rust/suite")" "$debian" "$work/debs" musl-dev)
dpkg-deb --extract "$deb" "$work/musl"
cp "$work/musl/usr/lib/$arch-linux-musl"/*crt*.o "$work/musl/usr/lib/$arch-linux-musl/libc.a" "$own"
# What other compilers keep there is done by musl.
for name in begin beginS beginT end endS; do
    "$here/zig-cc" -O2 -x c -c /dev/null -o "$own/crt$name.o"
done

unwinder=$dir/ziglang/lib/libunwind
for source in libunwind.cpp UnwindLevel1.c UnwindLevel1-gcc-ext.c UnwindRegistersRestore.S UnwindRegistersSave.S; do
    "$here/zig-cc" -Os -fPIC -funwind-tables -fno-exceptions -fno-rtti -nostdinc++ -fvisibility=hidden -DNDEBUG \
        -D_LIBUNWIND_IS_NATIVE_ONLY -D_LIBUNWIND_HIDE_SYMBOLS -I "$unwinder/include" \
        -c "$unwinder/src/$source" -o "$work/objects/$source.o"
done
"$here/zig-ar" rcs "$own/libunwind.a" "$work/objects"/*.o

printf '[package]\nname = "nothing"\nedition = "2024"\n[workspace]\n' >"$work/Cargo.toml"
: >"$work/src/lib.rs"
# The flag is for the compiler's own developers. As they build it, with bitcode for link-time optimisation, but without the
# names of functions in traces: the program is stripped of them anyway.
(
    cd "$work"
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="$RUSTFLAGS -Cembed-bitcode=yes"
    export CARGO_TARGET_DIR="$work/target"
    cargo build --quiet --release --target "$target" -Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind
)
rm "$work/target/$target/release/deps"/libnothing*
cp "$work/target/$target/release/deps"/lib*.rlib "$work/lib/lib"
# Whole or not at all.
echo "$wanted" >"$work/lib/made-by"
mv "$work/lib" "$lib"
# What was built upon another one is of no use, and cargo does not know.
rm -rf "$work" "$dir/../static/$arch"
