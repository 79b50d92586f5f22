#!/usr/bin/env bash
# Makes the certificates of the tests: an authority, a server and a client that it vouches for, and a stranger that vouches
# for itself. They are valid for a hundred years and protect nothing. Needs openssl.
set -euo pipefail
cd "$(dirname "$0")"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

key authority-key.pem
openssl req -x509 -new -key authority-key.pem -days 36500 -subj "/CN=asyncfn tests" -out authority.pem \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
key server-key.pem
openssl req -new -key server-key.pem -subj "/CN=server.test" | openssl x509 -req -days 36500 -out server.pem \
  -CA authority.pem -CAkey authority-key.pem \
  -extfile <(echo "subjectAltName=DNS:server.test,DNS:localhost,IP:127.0.0.1,IP:::1")
key client-key.pem
openssl req -new -key client-key.pem -subj "/CN=client.test" | openssl x509 -req -days 36500 -out client.pem \
  -CA authority.pem -CAkey authority-key.pem -extfile <(echo "extendedKeyUsage=clientAuth")
key stranger-key.pem
openssl req -x509 -new -key stranger-key.pem -days 36500 -subj "/CN=stranger.test" -out stranger.pem
# Nothing else is to be vouched for.
rm authority-key.pem
