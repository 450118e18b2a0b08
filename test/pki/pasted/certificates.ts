import { accepted, type Pasted, refused, SECRET } from './kind.ts';

const good = accepted('certificate');
const notPem = refused('certificate', 'NotPem');
const notACertificate = refused('certificate', 'NotACertificate');
const empty = refused('certificate', 'Empty');
const tooLarge = refused('certificate', 'TooLarge');

export const CERTIFICATES: readonly Pasted[] = [
  good('a plain PEM file', 'cat ca.crt'),
  good('the text of openssl x509 -text', 'openssl x509 -in ca.crt -text'),
  good('the bag attributes of openssl pkcs12', 'openssl pkcs12 -in ca.p12 -nokeys -passin pass:secret'),
  good('the names of openssl pkcs7 -print_certs', 'openssl pkcs7 -in ca.p7b -print_certs'),
  good('a file with comments', 'echo "# our CA"; cat ca.crt; echo "# end"'),
  good('a file with a certificate that is commented out', "sed 's/^/# /' other.crt; cat ca.crt"),
  good('a file with a byte order mark', String.raw`printf '\357\273\277'; cat ca.crt`),
  good('two files with byte order marks', String.raw`for f in ca other; do printf '\357\273\277'; cat $f.crt; done`),
  good('a file with line ends of Windows', String.raw`sed 's/$/\r/' ca.crt`),
  good('a file with line ends of old Macs', String.raw`tr '\n' '\r' < ca.crt`),
  good('an indented file', "sed 's/^/    /' ca.crt"),
  good('a file with blanks at the ends of lines', "sed 's/$/  /' ca.crt"),
  good('a file without the last line break', 'printf %s "$(cat ca.crt)"'),
  good(
    'a block in one long line',
    `sed -n '/BEGIN/p' ca.crt; grep -v -- ----- ca.crt | tr -d '\\n'; echo; sed -n '/END/p' ca.crt`,
  ),
  good('the label X509 CERTIFICATE', "sed 's/ CERTIFICATE/ X509 CERTIFICATE/' ca.crt"),
  good('a file with DH parameters for a web server', 'cat ca.crt; openssl dhparam -dsaparam 512 2>/dev/null'),
  good('a file with EC parameters', 'openssl ecparam -name prime256v1; cat ca.crt'),
  good('a block scalar of YAML', "echo 'tls.crt: |'; sed 's/^/  /' ca.crt"),
  good(
    'a list of openssl s_client -showcerts',
    'echo "Certificate chain"; echo " 0 s:CN = ca"; echo "   i:CN = ca"; cat ca.crt; echo "---"',
  ),
  empty('an empty value', 'true', 'this is empty'),
  empty('a value of white space', String.raw`printf ' \n\t\r\n'`, 'this is empty'),
  empty('a lone byte order mark', String.raw`printf '\357\273\277\n'`, 'this is empty'),
  tooLarge('a value over the limit', 'yes | head -c 100001', '100001 bytes, and at most 100000'),
  notPem(
    'DER',
    'openssl x509 -in ca.crt -outform DER',
    ': this is DER, not PEM; convert it with: openssl x509 -inform DER -in ca.der -out ca.crt',
  ),
  notPem('a trusted certificate in DER', 'openssl x509 -in trusted.crt -trustout -outform DER', 'this is DER, not PEM'),
  notPem('PKCS#12', 'cat ca.p12', 'this is a PKCS#12 file', { answers: SECRET }),
  notPem(
    'PKCS#12 with old ciphers',
    'openssl pkcs12 -legacy -export -inkey ca.key -in ca.crt -passout pass:secret',
    'openssl pkcs12 -legacy -in',
    { answers: SECRET },
  ),
  notPem(
    'PKCS#12 of keytool',
    'keytool -importcert -noprompt -alias ca -file ca.crt -keystore k.p12 -storepass secret >&2; cat k.p12',
    'this is a PKCS#12 file',
    { answers: SECRET },
  ),
  notPem(
    'JKS',
    'keytool -importcert -noprompt -alias ca -file ca.crt -keystore k.jks -storetype JKS -storepass secret >&2; cat k.jks',
    'this is a Java keystore (JKS)',
    { answers: SECRET },
  ),
  notPem(
    'JCEKS',
    'keytool -importcert -noprompt -alias ca -file ca.crt -keystore k.jceks -storetype JCEKS -storepass secret >&2; cat k.jceks',
    'this is a Java keystore (JCEKS)',
    { answers: SECRET },
  ),
  notPem('PKCS#7 in DER', 'openssl pkcs7 -in ca.p7b -outform DER', 'openssl pkcs7 -inform DER -print_certs'),
  notPem(
    'PKCS#7 in BER with indefinite lengths',
    'openssl cms -sign -signer ca.crt -inkey ca.key -stream -nodetach -outform DER -in ca.pub -binary',
    'this is a PKCS#7 file',
  ),
  notACertificate('PKCS#7 in PEM', 'cat ca.p7b', ', block 1: this is a PKCS#7 file'),
  notACertificate(
    'a trusted certificate',
    'cat trusted.crt',
    '(TRUSTED CERTIFICATE); convert it with: openssl x509 -in',
  ),
  notACertificate(
    'a trusted certificate after another one',
    'cat ca.crt trusted.crt',
    ', block 2: this is a certificate in OpenSSL',
  ),
  notACertificate(
    'a trusted certificate with the plain label',
    "sed 's/TRUSTED //' trusted.crt",
    '(TRUSTED CERTIFICATE)',
  ),
  notACertificate(
    'a certificate request',
    'cat ca.csr',
    ', block 1: this is a certificate request (CSR), not a certificate',
  ),
  notACertificate(
    'a certificate request of keytool',
    'keytool -genkeypair -alias a -keyalg EC -dname CN=a -keystore r.p12 -storepass secret >&2; keytool -certreq -alias a -keystore r.p12 -storepass secret',
    'this is a certificate request (CSR)',
  ),
  notACertificate(
    'a certificate request after the certificate',
    'cat ca.crt ca.csr',
    ', block 2: this is a certificate request (CSR), not a certificate; keep the certificates alone with: sed',
  ),
  notACertificate(
    'a certificate request in DER',
    'openssl req -in ca.csr -outform DER',
    'this is a certificate request (CSR)',
  ),
  notACertificate(
    'a certificate request with the label of a certificate',
    `sed 's/ CERTIFICATE REQUEST/ CERTIFICATE/' ca.csr`,
    ', block 1: this is a certificate request (CSR)',
  ),
  notACertificate('a revocation list', 'cat ca.crl', 'this is a certificate revocation list (CRL)'),
  notACertificate(
    'a revocation list before the certificate',
    'cat ca.crl ca.crt',
    ', block 1: this is a certificate revocation list (CRL)',
  ),
  notACertificate(
    'a revocation list in DER',
    'openssl crl -in ca.crl -outform DER',
    'this is a certificate revocation list (CRL)',
  ),
  notACertificate('a private key', 'cat ca.key', ', block 1: this is a private key, not a certificate'),
  notACertificate('a private key in DER', 'openssl pkey -in ca.key -outform DER', 'this is a private key in DER'),
  notACertificate(
    'a private key after the certificate',
    'cat ca.crt sec1.key',
    ', block 2: this is a private key, not a certificate; keep',
  ),
  notACertificate('an encrypted private key', 'cat encrypted.key', 'this is an encrypted private key'),
  notACertificate('a public key', 'cat ca.pub', 'this is a public key'),
  notACertificate('a public key in DER', 'openssl pkey -in ca.key -pubout -outform DER', 'this is a public key'),
  notACertificate(
    'a PKCS#12 file that certutil -encode wrapped',
    'echo -----BEGIN CERTIFICATE-----; base64 ca.p12; echo -----END CERTIFICATE-----',
    ', block 1: this is a PKCS#12 file',
  ),
  notACertificate('parameters alone', 'openssl ecparam -name prime256v1', 'this is a block of parameters'),
  notACertificate(
    'a PGP key',
    'echo "-----BEGIN PGP PUBLIC KEY BLOCK-----"; echo; cat ca.crt | base64; echo "-----END PGP PUBLIC KEY BLOCK-----"',
    'this is a block "PGP PUBLIC KEY BLOCK", not a certificate',
  ),
];
