#!/bin/sh
# static_promises.sh ARCH RECORD: a few quick promises on the static program in target/box/ARCH, under QEMU where this machine
# is another one. They reach what differs from the program that all promises are run on: the libc (names, threads, files,
# memory) and the code for ARCH (hashes, ciphers, TLS, compression, the catalog).
set -eu

arch=$1 record=$2
here=$(cd "$(dirname "$0")" && pwd)
box=$(cd "$here/../../target/box/$arch" && pwd)
export ARCHIVISTA_BINARY="$box/archivista"
if [ "$arch" != "$(uname -m)" ]; then
    command -v "qemu-$arch-static" >/dev/null || "$here/install.sh" qemu-user-static
    # A program of its own, because tests start one path.
    printf '#!/bin/sh\nexec qemu-%s-static "%s" "$@"\n' "$arch" "$box/archivista" >"$box/emulated"
    chmod +x "$box/emulated"
    export ARCHIVISTA_BINARY="$box/emulated"
fi
# From IMAP over TLS and from Microsoft 365, sealed, served over HTTPS to somebody with a password, healed, verified.
exec "$here/run_tests.sh" "$record" --test promises -- \
    new_moved_copied_and_deleted_mail_is_treated_right \
    what_lies_in_three_mailboxes_is_one_document_with_three_places \
    over_tls_starttls_and_in_clear_on_purpose \
    no_file_and_no_answer_holds_the_password \
    whoever_has_the_code_sets_up_the_archive_once \
    ranges_are_sent_as_a_player_asks_for_them \
    rebuilt_on_demand \
    the_verbs_name_what_is_damaged_and_export_the_rest
