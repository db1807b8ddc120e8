#!/bin/sh
# courier.sh ROOT DIR PORT: becomes a private Courier IMAP 5.0 on 127.0.0.1, in the foreground, until it is killed or the thread
# that started it ends. ROOT holds its unpacked packages, DIR has to be reachable for every user.
#
# PORT       IMAP in clear             DIR/users  one "name password" a line
# DIR/mail/USER/Maildir is the Maildir of a user.
#
# Courier looks for its configuration in /etc/courier and for its own processes in /run/courier, and nothing can tell it
# otherwise: it runs in a view of the file system of its own, where those are in DIR, and as the first process of its own tree,
# so that all of it ends together.
set -eu

root=$1 dir=$2 port=$3
libraries=$(uname -m)-linux-gnu
export LD_LIBRARY_PATH="$root/usr/lib/$libraries:$root/lib/$libraries:$root/usr/lib:$root/usr/lib/courier-authlib"

owner=$(id -un)
own_users="--map-current-user --keep-caps"
if [ "$(id -u)" = 0 ]; then
    owner=mail
    own_users=
fi

mkdir -p "$dir/etc/courier" "$dir/run/courier/authdaemon" "$dir/mail"
cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache /etc/hosts "$dir/etc/"
cp -r "$root/etc/courier/." "$dir/etc/courier"
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' "$dir/etc/courier/authdaemonrc"
while read -r user password; do
    home=$dir/mail/$user
    mkdir -p "$home"
    [ -d "$home/Maildir" ] || "$root/usr/bin/maildirmake.courier" "$home/Maildir"
    secret=$(printf '%s\n%s\n' "$password" "$password" | "$root/usr/sbin/userdbpw" 2>/dev/null)
    printf '%s\tuid=%s|gid=%s|home=%s|mail=%s|systempw=%s\n' "$user" "$(id -u "$owner")" "$(id -g "$owner")" \
        "$home" "$home/Maildir" "$secret"
done <"$dir/users" >"$dir/etc/courier/userdb"
for base in userdb userdbshadow; do
    { cat "$dir/etc/courier/userdb" && echo .; } |
        "$root/usr/lib/courier/courier-authlib/makedatprog" - "$dir/etc/courier/new" "$dir/etc/courier/$base.dat"
done
chmod 755 "$dir"
[ -n "$own_users" ] || chown -R "$owner:$(id -gn "$owner")" "$dir/mail"

export root dir port
# The inner shell expands what is its own.
# shellcheck disable=SC2016,SC2086
exec setpriv --pdeathsig KILL unshare $own_users --mount --pid --fork --kill-child=KILL sh -eu -c '
    mount --bind "$dir/etc" /etc
    mount --bind "$dir/run" /run
    "$root/usr/lib/courier/courier-authlib/authdaemond" &
    at=$port
    set -a
    . /etc/courier/imapd
    set +a
    # Names of the inbox alone come from the file; the rest is ours.
    export IMAPDSTART=YES IMAP_STARTTLS=NO IMAP_ULIMITD=
    cd /
    exec "$root/usr/sbin/couriertcpd" -address=127.0.0.1 -nodnslookup -noidentlookup -maxprocs=100 -maxperip=100 \
        "$at" "$root/usr/lib/courier/courier/imaplogin" "$root/usr/bin/imapd" Maildir
'
