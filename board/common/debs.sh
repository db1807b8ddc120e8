#!/bin/sh
# debs.sh SUITE ARCH DIR PACKAGE…: downloads Debian packages of any suite and architecture into DIR and prints their paths,
# one a line. The mirrors and the keyring are this machine's own; its packages and package lists are neither used nor
# touched, and root is not needed.
#
# A PACKAGE is a name, or NAME/PATTERN: whatever NAME needs, directly or not, whose name matches the pattern of the shell.
# So names that carry versions are asked for: linux-image-amd64/linux-image-* is the kernel itself.
# DIR keeps one version of each package; what a run before has left there is not downloaded again.
set -eu

suite=$1 arch=$2 dir=$3
shift 3
mkdir -p "$dir/.apt/state/lists/partial" "$dir/.apt/cache/archives/partial"
cd "$dir"
apt=$PWD/.apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Of the host's sources only the addresses of mirrors of Debian itself count.
# The format is apt's own.
# shellcheck disable=SC2016
mirrors=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u)
mirror=$(echo "$mirrors" | grep -m 1 '/debian/*$') || {
    echo "debs.sh: this machine's apt has no mirror of Debian (…/debian/) in its sources. Add one, then try again." >&2
    exit 1
}
echo "deb [signed-by=$keyring] $mirror $suite main non-free-firmware" >"$apt/sources.list"
security=$(echo "$mirrors" | grep -m 1 '/debian-security/*$') || security=
case $suite in
    *-backports | *-updates | *-security | sid | unstable | experimental) ;;
    *) [ -z "$security" ] || echo "deb [signed-by=$keyring] $security $suite-security main" >>"$apt/sources.list" ;;
esac

: >"$apt/state/status"
cat >"$apt/apt.conf" <<END
APT::Architecture "$arch";
APT::Architectures "$arch";
APT::Sandbox::User "$(id -un)";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
END
export APT_CONFIG="$apt/apt.conf"
apt-get -qq update

# needs NAME PATTERN: the packages that match among all that NAME depends on.
needs() {
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
        sed -n 's/^\([a-z0-9][^:]*\).*/\1/p' | sort -u | while read -r name; do
        # The pattern is one on purpose.
        # shellcheck disable=SC2254
        case $name in "$1") ;; $2) echo "$name" ;; esac
    done
}

names=
for package in "$@"; do
    found=$package
    case $package in */*) found=$(needs "${package%%/*}" "${package#*/}") ;; esac
    [ -n "$found" ] || { echo "debs.sh: nothing matches $package in $suite $arch." >&2 && exit 1; }
    names="$names $found"
done

# The names are words on purpose.
# shellcheck disable=SC2086
apt-get -q download $names >&2
# shellcheck disable=SC2086
apt-cache show --no-all-versions $names | awk '
    /^Package: / { package = $2 } /^Version: / { version = $2; gsub(":", "%3a", version) } /^Architecture: / { arch = $2 }
    /^$/ { print package "_" version "_" arch ".deb" }' | while read -r file; do
    for other in "${file%%_*}"_*.deb; do
        [ "$other" = "$file" ] || rm "$other"
    done
    echo "$PWD/$file"
done
