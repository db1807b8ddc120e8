#!/bin/sh
# install.sh DIR: the python package O365, as the maker's script uses it, in DIR/o365, once.
set -eu

venv=$1/o365
here=$(dirname "$0")
cmp -s "$here/requirements.txt" "$venv/requirements.txt" && exit 0

python3 -c 'import ensurepip, venv' 2>/dev/null || "$here/../install.sh" python3-venv
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
# Last, so that half an installation is made anew.
cp "$here/requirements.txt" "$venv/requirements.txt"
