#!/bin/sh
# dovecot.sh DIR PORT TLS_PORT GREETING: becomes a private Dovecot 2.3 on 127.0.0.1, in the foreground, until it is
# killed or the thread that started it ends. DIR has to be reachable for every user, so best directly under /tmp.
#
# PORT      IMAP, in clear and with STARTTLS          DIR/users       one "name:{PLAIN}password" a line
# TLS_PORT  IMAP over TLS                             DIR/token.key   base64 of the key of access tokens (HS256)
# GREETING  what it says first, so that a caller      DIR/extra.conf  read last, if it is there
#           knows this server from another one        DIR/tls/        made by certificate.sh, if it is not there
# DIR/mail/USER is the Maildir of a user; whoever owns DIR/mail has to own what is put into it.
set -eu

dir=$1 port=$2 tls_port=$3 greeting=$4
here=$(dirname "$0")
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" = 0 ]; then
    # Dovecot refuses to open mail as root, or as the users it runs itself as: these three come with Debian.
    internal=dovecot login=dovenull owner=mail
else
    internal=$(id -un) login=$internal owner=$internal
fi
group=$(id -gn "$owner")

mkdir -p "$dir/run" "$dir/state" "$dir/mail" "$dir/keys/default/HS256"
[ -f "$dir/tls/server.pem" ] || "$here/certificate.sh" "$dir/tls"
[ -f "$dir/token.key" ] || openssl rand -base64 32 >"$dir/token.key"
tr -d '\n' <"$dir/token.key" >"$dir/keys/default/HS256/default"
cat >"$dir/token.conf" <<END
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$dir/keys/
username_attribute = upn
END
chmod 755 "$dir"
chmod -R a+rX "$dir/keys" "$dir/token.conf"
chown -R "$owner:$group" "$dir/mail"

cat >"$dir/dovecot.conf" <<END
protocols = imap
listen = 127.0.0.1
login_greeting = $greeting
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/dovecot.log
default_internal_user = $internal
default_internal_group = $(id -gn "$internal")
default_login_user = $login
first_valid_uid = 1
first_valid_gid = 1
mail_uid = $owner
mail_gid = $group
mail_privileged_group =
mail_location = maildir:$dir/mail/%u
# A test's mail need not outlive a power cut, and nobody guesses passwords.
mail_fsync = never
auth_failure_delay = 0
mail_max_userip_connections = 100

ssl = yes
ssl_cert = <$dir/tls/server.pem
ssl_key = <$dir/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $dir/token.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=plain $dir/users
}
userdb {
  driver = static
  args = uid=$owner gid=$group home=$dir/mail/%u
}

namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Trash {
    special_use = \\Trash
  }
}

service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = $port
  }
  inet_listener imaps {
    port = $tls_port
    ssl = yes
  }
}
service anvil {
  chroot =
  # Without this listener nobody is slowed down after wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
!include_try $dir/extra.conf
END

exec setpriv --pdeathsig TERM dovecot -F -c "$dir/dovecot.conf"
