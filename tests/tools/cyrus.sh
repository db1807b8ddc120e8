#!/bin/sh
# cyrus.sh ROOT DIR PORT NAME SEPARATOR: becomes a private Cyrus IMAP 3.6 on 127.0.0.1, in the foreground, until it is killed or
# the thread that started it ends. ROOT holds its unpacked packages, DIR has to be reachable for every user.
#
# PORT       IMAP in clear             NAME  what it calls itself in its greeting
# SEPARATOR  . (folders below the inbox, as Cyrus had them for long) or / (beside it)
# DIR/users  one "name@mymail.ch password" a line
set -eu

root=$1 dir=$2 port=$3 name=$4 separator=$5
libraries=/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH="$root$libraries:$root/lib/$(uname -m)-linux-gnu"

owner=$(id -un)
# As root it gives its rights away; these come with Debian.
[ "$(id -u)" != 0 ] || owner=mail
slash=no
[ "$separator" = . ] || slash=yes

mkdir -p "$dir/conf/db" "$dir/conf/proc" "$dir/conf/socket" "$dir/conf/log" "$dir/conf/msg" "$dir/conf/lock" "$dir/spool" "$dir/run"
cat >"$dir/imapd.conf" <<END
servername: $name
configdirectory: $dir/conf
defaultpartition: default
partition-default: $dir/spool
cyrus_user: $owner
cyrus_group: $(id -gn "$owner")
virtdomains: userid
defaultdomain: mymail.ch
unixhierarchysep: $slash
altnamespace: $slash
autocreate_quota: 0
autocreate_post: yes
allowplaintext: yes
conversations: no
# A test's mail need not outlive a power cut, and nobody guesses passwords.
failedloginpause: 0
skiplist_unsafe: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $dir/passwords
END
cat >"$dir/cyrus.conf" <<END
START {
  recover cmd="$root/usr/lib/cyrus/bin/ctl_cyrusdb -C $dir/imapd.conf -r"
}
SERVICES {
  imap cmd="$root/usr/lib/cyrus/bin/imapd -C $dir/imapd.conf -U 30" listen="127.0.0.1:$port" prefork=0
}
EVENTS {
}
END
while read -r user password; do
    printf %s "$password" | "$root/usr/sbin/saslpasswd2" -p -c -f "$dir/passwords" -u "$name" "${user%@*}"
done <"$dir/users"
chmod 755 "$dir"
chown -R "$owner" "$dir/conf" "$dir/spool" "$dir/run" "$dir/passwords"

exec setpriv --pdeathsig TERM "$root/usr/lib/cyrus/bin/master" -C "$dir/imapd.conf" -M "$dir/cyrus.conf" -p "$dir/run/master.pid" -D
