#!/bin/sh
# python.sh DIR NAME: the Python packages of NAME/requirements.txt beside this file, in DIR/NAME, once. There are: check_package
# (what Buildroot's check-package imports), o365 (as the maker's script uses it), schemathesis (holds an API against its document).
set -eu

venv=$1/$2
here=$(dirname "$0")
wanted=$here/$2/requirements.txt
cmp -s "$wanted" "$venv/requirements.txt" && exit 0

python3 -c 'import ensurepip, venv' 2>/dev/null || "$here/install.sh" python3-venv
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
# Last, so that half an installation is made anew.
cp "$wanted" "$venv/requirements.txt"
