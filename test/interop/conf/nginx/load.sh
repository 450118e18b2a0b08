#!/bin/sh
# Run it before nginx starts, and whenever the link /tls/..data (or /upstream-tls/..data) has changed.
# The target of ..data is resolved once, so certificate and key belong to one rotation.
set -e
tls=$(readlink -f /tls/..data)
client_ca=$(readlink -f /client-ca)
printf 'ssl_certificate %s/tls.crt;\nssl_certificate_key %s/tls.key;\nssl_client_certificate %s;\n' \
  "$tls" "$tls" "$client_ca" > /run/nginx/tls.conf
# Where nginx presents a second Secret to an upstream.
if [ -e /upstream-tls/..data ]; then
  upstream=$(readlink -f /upstream-tls/..data)
  printf 'proxy_ssl_certificate %s/tls.crt;\nproxy_ssl_certificate_key %s/tls.key;\nproxy_ssl_trusted_certificate %s/ca.crt;\n' \
    "$upstream" "$upstream" "$upstream" > /run/nginx/upstream-tls.conf
fi
nginx -c /etc/nginx/nginx.conf -t -q
# nginx continues with the former files if they can't be loaded.
[ ! -s /run/nginx/nginx.pid ] || nginx -c /etc/nginx/nginx.conf -s reload
