#!/bin/sh
# The target of ..data is resolved once, so that certificate, key and CAs belong to one rotation.
tls=/tls/$(readlink /tls/..data)
# -q: no ~/.curlrc. --silent --show-error: only errors are printed.
exec curl -q --silent --show-error --max-time 10 --write-out '\n%{http_code}' \
  --cert "$tls/tls.crt" --key "$tls/tls.key" --cacert "$tls/ca.crt" \
  https://web.shop.svc:8443/
