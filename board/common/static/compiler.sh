#!/bin/sh
# compiler.sh DIR: Debian's Rust compiler and the sources of its standard library in DIR/rust, once. Needed where the
# machine's own compiler has no standard library for musl. It brings its own libc, so this machine may be older than it.
set -eu

dir=$1/rust
here=$(cd "$(dirname "$0")" && pwd)
# The oldest suite whose compiler is new enough for Cargo.toml.
suite=forky
wanted=$(cat "$0" "$here/../debs.sh" | sha256sum)
[ "$wanted" != "$(cat "$dir/made-by" 2>/dev/null)" ] || exit 0

echo "Unpacking Debian's Rust compiler into $dir …" >&2
debs=$("$here/../debs.sh" "$suite" "$(dpkg --print-architecture)" "$1/debs" rustc rust-src libstd-rust-dev 'libstd-rust-dev/*')
rm -rf "$dir" "$dir.new"
mkdir -p "$dir.new/bin"
for deb in $debs; do
    dpkg-deb --extract "$deb" "$dir.new"
    echo "${deb##*/}" >>"$dir.new/packages"
done
# Its directory is wherever it is called from, so that it may be moved.
cat >"$dir.new/bin/rustc" <<'END'
#!/bin/sh
usr=${0%/*}/../usr
for loader in "$usr"/lib/*/ld-linux*.so.*; do :; done
exec "$loader" --library-path "${loader%/*}" --argv0 "$usr/bin/rustc" "$usr/bin/rustc" "$@"
END
chmod +x "$dir.new/bin/rustc"
"$dir.new/bin/rustc" --version >&2
# Of the sources only those of the standard library count.
find "$dir.new/usr/src" -mindepth 2 -maxdepth 2 ! -name library -exec rm -r {} +
# Whole or not at all.
echo "$suite" >"$dir.new/suite"
echo "$wanted" >"$dir.new/made-by"
mv "$dir.new" "$dir"
rm -rf "$1/debs"
