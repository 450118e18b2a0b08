#!/bin/sh
# As load.sh, with a second Secret, /upstream-tls: what nginx presents to its upstream, and the CA of that.
# Run it whenever one of the links /tls/..data and /upstream-tls/..data has changed.
set -e
tls=$(readlink -f /tls/..data)
upstream=$(readlink -f /upstream-tls/..data)
client_ca=$(readlink -f /client-ca)
printf 'ssl_certificate %s/tls.crt;\nssl_certificate_key %s/tls.key;\nssl_client_certificate %s;\n' \
  "$tls" "$tls" "$client_ca" > /run/nginx/tls.conf
printf 'proxy_ssl_certificate %s/tls.crt;\nproxy_ssl_certificate_key %s/tls.key;\nproxy_ssl_trusted_certificate %s/ca.crt;\n' \
  "$upstream" "$upstream" "$upstream" > /run/nginx/upstream-tls.conf
nginx -c /etc/nginx/nginx.conf -t -q
[ ! -s /run/nginx/nginx.pid ] || nginx -c /etc/nginx/nginx.conf -s reload
