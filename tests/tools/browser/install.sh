#!/bin/sh
# install.sh DIR: Debian's Chromium with fonts for umlauts and emoji, and in DIR/browser, once, the node packages that drive
# it. None of them downloads a browser: no script of a package is run.
set -eu

dir=$1/browser
here=$(cd "$(dirname "$0")" && pwd)
"$here/../install.sh" chromium fonts-dejavu-core fonts-noto-color-emoji
# Node from elsewhere is as good, and often not to be had together with Debian's npm.
command -v node >/dev/null || "$here/../install.sh" nodejs
command -v npm >/dev/null || "$here/../install.sh" npm

wanted=$(sha256sum <"$here/package-lock.json")
[ "$wanted" != "$(cat "$dir/installed" 2>/dev/null)" ] || exit 0
rm -rf "$dir" "$dir.new"
mkdir -p "$dir.new"
cp "$here/package.json" "$here/package-lock.json" "$dir.new"
(cd "$dir.new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
# Whole or not at all.
echo "$wanted" >"$dir.new/installed"
mv "$dir.new" "$dir"
