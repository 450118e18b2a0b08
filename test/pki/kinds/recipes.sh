# Words for the recipes of the table: bash reads this file before each of them, in an empty folder.
# $KEYS is a folder for keys that take seconds to make; they are made once.
set -euo pipefail
export RANDFILE=.rnd

CA=$'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
# CAs that allow no and one CA below them.
CA0=${CA/CA:true/CA:true,pathlen:0}
CA1=${CA/CA:true/CA:true,pathlen:1}
AKI=authorityKeyIdentifier=keyid:always

# new_key NAME [ALGORITHM [OPTION...]]: P-256 if nothing else is said.
new_key() {
  local name=$1
  shift
  [ $# -gt 0 ] || set -- EC ec_paramgen_curve:P-256
  local algorithm=$1 option options=()
  shift
  for option in "$@"; do options+=(-pkeyopt "$option"); done
  openssl genpkey -algorithm "$algorithm" "${options[@]}" -out "$name.key"
}

# rsa_key NAME BITS
rsa_key() {
  local kept=$KEYS/rsa-$2.key
  if [ ! -f "$kept" ]; then
    openssl genrsa -out "$kept.$$" "$2"
    mv "$kept.$$" "$kept"
  fi
  cp "$kept" "$1.key"
}

# certify NAME ISSUER EXTENSIONS...: NAME.crt for NAME.key (made if it isn't there), signed by ISSUER, `self` for itself.
# SUBJECT, DAYS, FROM and TO (YYYYMMDDHHMMSSZ), SIGN (options of the signature) in front of it say otherwise.
certify() {
  local name=$1 issuer=$2
  shift 2
  [ -f "$name.key" ] || new_key "$name"
  local subject=${SUBJECT:-/CN=$name}
  openssl req -new -utf8 -key "$name.key" -subj "$subject" -out "$name.csr" ${REQUEST:-}
  printf '%s\n' "$@" >"$name.ext"
  [ "$issuer" = self ] && issuer=$name
  if [ -n "${FROM:-}${TO:-}" ]; then
    certify_from_to "$name" "$issuer"
  elif [ "$issuer" = "$name" ]; then
    openssl x509 -req -in "$name.csr" -key "$name.key" -days "${DAYS:-3650}" -extfile "$name.ext" ${SIGN:-} -out "$name.new"
  else
    openssl x509 -req -in "$name.csr" -CA "$issuer.crt" -CAkey "$issuer.key" -days "${DAYS:-3650}" -extfile "$name.ext" \
      -set_serial "0x$(openssl rand -hex 12)" ${SIGN:-} -out "$name.new"
  fi
  mv "$name.new" "$name.crt"
}

# Only `openssl ca` of OpenSSL 3.0 can date a certificate.
certify_from_to() {
  : >index.txt
  rm -f index.txt.*
  cat >ca.cnf <<CNF
[ca]
default_ca = it
[it]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
email_in_dn = yes
[any]
commonName = optional
CNF
  local signer=(-cert "$2.crt" -keyfile "$2.key")
  [ "$1" = "$2" ] && signer=(-selfsign -keyfile "$1.key")
  openssl ca -batch -config ca.cnf "${signer[@]}" -in "$1.csr" -extfile "$1.ext" -notext -out "$1.new" \
    -startdate "${FROM:-20200101000000Z}" -enddate "${TO:-20500101000000Z}"
}

# root NAME [EXTENSION...]: a self-signed CA that lacks nothing.
root() {
  local name=$1
  shift
  certify "$name" self "$CA" "$@"
}

# intermediate NAME ISSUER [EXTENSION...]
intermediate() {
  local name=$1 issuer=$2
  shift 2
  certify "$name" "$issuer" "$CA" "$AKI" "$@"
}

# pair NAME [CERTIFICATE...]: NAME's key and certificate, and those of its issuers behind it.
pair() {
  cp "$1.key" tls.key
  cat "${@/%/.crt}" >tls.crt
}
