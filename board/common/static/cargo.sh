#!/bin/sh
# cargo.sh ARCH ARGUMENT…: cargo for ARCH-unknown-linux-musl: programs that need nothing of the machine they run on but its
# kernel. Compiler, linker and libraries come into target/toolchain when they are first needed. Where this machine's own
# compiler has the libraries for the target (rustup target add …), that compiler is used.
set -eu

arch=$1
shift
target=$arch-unknown-linux-musl
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
toolchain=$root/target/toolchain
mkdir -p "$toolchain"

# Both architectures may want them at the same time.
flock "$toolchain" "$here/zig.sh" "$toolchain"
export ZIG="$toolchain/ziglang/zig" ZIG_TARGET="$arch-linux-musl"
export ZIG_GLOBAL_CACHE_DIR="$toolchain/zig-cache" ZIG_LOCAL_CACHE_DIR="$toolchain/zig-cache"
in_variables=$(echo "$target" | tr - _)
export "CC_$in_variables=$here/zig-cc" "AR_$in_variables=$here/zig-ar"
# Level 3 is all that is asked of zstd (archive/record.rs); what only higher levels need stays out.
cflags=''
for strategy in GREEDY LAZY LAZY2 BTLAZY2 BTOPT BTULTRA; do
    cflags="$cflags -DZSTD_EXCLUDE_${strategy}_BLOCK_COMPRESSOR"
done
export "CFLAGS_$in_variables=$cflags"

# Equal functions are kept once, and relocations in their short form. Where things lie on this machine is nobody's business.
export RUSTFLAGS="-Clinker=$here/zig-ld -Clinker-flavor=ld.lld -Clink-arg=--icf=all -Clink-arg=-zpack-relative-relocs\
 --remap-path-prefix=$root=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
for std in "$(rustc --print target-libdir --target "$target")"/libstd-*.rlib; do :; done
if [ ! -e "$std" ]; then
    export PATH="$toolchain/rust/bin:$PATH" RUSTC="$toolchain/rust/bin/rustc"
    flock "$toolchain" "$here/compiler.sh" "$toolchain"
    "$here/std.sh" "$toolchain" "$arch"
fi
# A folder each, so that two architectures may be built side by side.
export CARGO_TARGET_DIR="$root/target/static/$arch"
exec cargo "$@" --target "$target"
