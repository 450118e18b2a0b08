#!/bin/sh
# Run it before PostgreSQL starts, and whenever the link /tls/..data has changed.
# The target of ..data is resolved once, so certificate, key and CAs belong to one rotation.
set -e
tls=$(readlink -f /tls/..data)
printf "ssl_cert_file = '%s/tls.crt'\nssl_key_file = '%s/tls.key'\nssl_ca_file = '%s/ca.crt'\n" "$tls" "$tls" "$tls" \
  > /run/postgresql/tls.conf
# PostgreSQL continues with the former files if it can't load them.
[ ! -s /run/postgresql/data/postmaster.pid ] || kill -HUP "$(head -n 1 /run/postgresql/data/postmaster.pid)"
