import { CERTIFY_AGAIN, type Kind, kindsOf } from './kind.ts';

/** Self-signed CAs as people make them with openssl, one certificate each. */
const { ready, strict, refused } = kindsOf('openssl');

const REQ = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.crt';

const NO_KEY_USAGE = {
  message: /CN=.*no key ?usage.*Python 3\.13.*openssl/i,
  remedy: `No key usage. ${CERTIFY_AGAIN}`,
};

export const ROOTS: readonly Kind[] = [
  strict('openssl req -x509, EC P-256, nothing added', `${REQ} -days 3650 -subj /CN=my-ca`, NO_KEY_USAGE),
  strict(
    'openssl req -x509, RSA 2048, nothing added',
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 3650 -subj /CN=my-ca',
    NO_KEY_USAGE,
  ),
  strict(
    'openssl genrsa, then openssl req -x509 -new -key',
    'openssl genrsa -out tls.key 2048; openssl req -x509 -new -key tls.key -sha256 -days 365 -out tls.crt -subj "/C=DE/O=Shop/CN=Shop CA"',
    NO_KEY_USAGE,
  ),
  ready(
    'openssl req -x509 with -addext keyUsage',
    `${REQ} -days 3650 -subj /CN=my-ca -addext keyUsage=critical,keyCertSign,cRLSign`,
  ),
  ready('openssl x509 -req -signkey with v3 extensions', 'root my; pair my'),
  ready(
    'openssl ca -selfsign with a database',
    'FROM=20240101000000Z TO=20500101000000Z certify my self "$CA" "$AKI"; pair my',
  ),
  strict(
    'basic constraints that are not critical',
    'certify my self basicConstraints=CA:true keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash; pair my',
    {
      message: /CN=my.*basic ?constraints.*critical.*Python 3\.13.*openssl/i,
      remedy: CERTIFY_AGAIN,
    },
  ),
  strict(
    'a root without a subject key identifier',
    'certify my self basicConstraints=critical,CA:true keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=none; pair my',
    {
      message: /CN=my.*subject ?key ?id.*Python 3\.13.*openssl/i,
      remedy: CERTIFY_AGAIN,
    },
  ),
  ready(
    'a root whose authority key identifier has issuer and serial',
    'root my authorityKeyIdentifier=keyid:always,issuer:always; pair my',
  ),
  ready('a root with a path length of 0', 'certify my self "$CA0"; pair my'),
  ready(
    'a root with names of many kinds',
    'SUBJECT="/C=DE/ST=Berlin/L=Berlin/O=Żółć 日本/OU=IT/CN=Shop CA/emailAddress=ca@shop.example" root my; pair my',
  ),
  ready('a root that is named by domain components', 'SUBJECT=/DC=local/DC=corp/CN=corp-CA root my; pair my'),
  ready('a root of the year 9999', 'TO=99991231235959Z root my; pair my'),
  ready('a root that ends in a day', 'DAYS=1 root my; pair my'),
  ready('a root that is signed with SHA-512', 'SIGN=-sha512 root my; pair my'),
  ready('a root that is signed with SHA-1, which no verifier checks', 'SIGN=-sha1 root my; pair my'),
  ready(
    'a root that is signed with RSASSA-PSS by an ordinary RSA key',
    'rsa_key my 2048; SIGN="-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest" root my; pair my',
  ),
  ready('a root with the serial number 0', 'SIGN="-set_serial 0" root my; pair my'),
  refused('a root with a negative serial number', 'SIGN="-set_serial -5" root my; pair my', {
    ground: 'path',
    message: /tls\.crt.*serial.*negative|tls\.crt.*negative.*serial/i,
    remedy: 'Go refuses it: make the certificate again with a positive serial number.',
  }),
  refused(
    'a version 1 certificate (openssl x509 -req -signkey without extensions)',
    'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -subj /CN=my-ca -out csr; openssl x509 -req -in csr -signkey tls.key -days 365 -out tls.crt',
    {
      ground: 'rule',
      message: /tls\.crt.*not a CA.*openssl x509 -in ca\.crt -key ca\.key/,
      remedy:
        'Verifiers disagree about it: make a CA certificate for the same key with `openssl req -x509 -key tls.key …`.',
    },
  ),
  refused(
    'a certificate that is not a CA',
    'certify my self basicConstraints=critical,CA:false keyUsage=digitalSignature; pair my',
    {
      ground: 'path',
      message: /tls\.crt.*not a CA/,
      remedy: 'Give the CA, not a certificate that a CA has issued.',
    },
  ),
  refused(
    'a CA whose key usage lacks keyCertSign',
    'certify my self basicConstraints=critical,CA:true keyUsage=critical,digitalSignature,cRLSign subjectKeyIdentifier=hash; pair my',
    {
      ground: 'path',
      message: /tls\.crt.*cert ?sign/i,
      remedy: 'Make the certificate again with `keyUsage=critical,keyCertSign,cRLSign`.',
    },
  ),
  refused('a CA without a subject', 'SUBJECT=/ root my; pair my', {
    ground: 'rule',
    message: /tls\.crt.*subject/,
    remedy: 'RFC 5280 section 4.1.2.6 wants a name: make the certificate again with `-subj /CN=…`.',
  }),
  refused('a root that has expired', 'TO=20210101000000Z root my; pair my', {
    ground: 'path',
    message: /tls\.crt.*expired.*2021-01-01/,
    remedy: 'Renew it with the same key, or begin a rotation by another pair.',
  }),
  refused('a root that is not yet valid', 'FROM=20490101000000Z root my; pair my', {
    ground: 'path',
    message: /tls\.crt.*not valid before.*2049-01-01/,
    remedy: 'Wait, or make it again with an earlier beginning.',
  }),
];
