#!/bin/sh
# certificate.sh DIR [NAME]: makes a certificate authority (DIR/ca.pem) and a server certificate that it signed
# (DIR/server.pem, DIR/server.key), for NAME, or for localhost and 127.0.0.1.
set -eu

dir=$1
names=${2:+DNS:$2}
curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

mkdir -p "$dir"
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names:-DNS:localhost,IP:127.0.0.1}" >"$dir/extensions"
# The options of a new key are words on purpose.
# shellcheck disable=SC2086
{
    openssl req -x509 $curve -days 30 -subj '/CN=Archivista test authority' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
        -keyout "$dir/ca.key" -out "$dir/ca.pem"
    openssl req $curve -subj "/CN=${2:-localhost}" -keyout "$dir/server.key" -out "$dir/request.pem"
    openssl x509 -req -days 30 -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
        -extfile "$dir/extensions" -out "$dir/server.pem"
} 2>"$dir/openssl.log" || {
    cat "$dir/openssl.log" >&2
    exit 1
}
