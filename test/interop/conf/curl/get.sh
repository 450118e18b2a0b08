#!/bin/sh
# The target of ..data is resolved once, so that certificate, key and CAs belong to one rotation. The kubelet may remove that
# folder before curl has read it: then the link has changed, and curl starts again.
while true; do
  version=$(readlink /tls/..data)
  tls=/tls/$version
  # -q: no ~/.curlrc. --silent --show-error: only errors are printed.
  answer=$(curl -q --silent --show-error --max-time 10 --write-out '\n%{http_code}' \
    --cert "$tls/tls.crt" --key "$tls/tls.key" --cacert "$tls/ca.crt" \
    https://web.shop.svc:8443/)
  code=$?
  [ "$code" != 0 ] && [ "$version" != "$(readlink /tls/..data)" ] || break
done
printf '%s\n' "$answer"
exit "$code"
