import { CERTIFY_AGAIN, type Kind, kindsOf } from './kind.ts';

/** CAs of keytool, of GnuTLS, of easy-rsa, and of AD CS and XCA as openssl can imitate them. */
const keytool = kindsOf('keytool');
const certtool = kindsOf('certtool');
const easyRsa = kindsOf('easy-rsa');
const openssl = kindsOf('openssl');

const STORE = '-storetype PKCS12 -keystore s.p12 -storepass secret';
const GENKEYPAIR = `keytool -genkeypair ${STORE} -alias my -keyalg EC -groupname secp256r1 -dname "CN=Java CA, O=Shop" -validity 3650`;
const EXPORT =
  'openssl pkcs12 -in s.p12 -passin pass:secret -nokeys -out tls.crt; openssl pkcs12 -in s.p12 -passin pass:secret -nocerts -nodes -out tls.key';

const KEYTOOL: readonly Kind[] = [
  keytool.ready(
    'keytool -genkeypair -ext bc:c=ca:true -ext ku:c=keyCertSign',
    `${GENKEYPAIR} -ext bc:c=ca:true -ext ku:c=keyCertSign,cRLSign; ${EXPORT}`,
  ),
  keytool.strict('keytool -genkeypair -ext bc=ca:true', `${GENKEYPAIR} -ext bc=ca:true; ${EXPORT}`, {
    message: /CN=Java CA.*Python 3\.13.*openssl/i,
    remedy: 'Make the certificate again with `-ext bc:c=ca:true -ext ku:c=keyCertSign,cRLSign`.',
  }),
  keytool.refused('keytool -genkeypair, which makes no CA', `${GENKEYPAIR}; ${EXPORT}`, {
    ground: 'path',
    message: /tls\.crt.*not a CA/,
    remedy: 'Make a CA: `keytool -genkeypair -ext bc:c=ca:true -ext ku:c=keyCertSign,cRLSign`.',
  }),
  keytool.ready(
    'keytool -gencert, an intermediate and its root out of one keystore',
    `${GENKEYPAIR.replaceAll('my', 'r')} -ext bc:c=ca:true -ext ku:c=keyCertSign,cRLSign
${GENKEYPAIR.replaceAll('my', 'int').replace('Java CA', 'Java Int')}
keytool -certreq ${STORE} -alias int | keytool -gencert ${STORE} -alias r -ext bc:c=ca:true,pathlen:0 -ext ku:c=keyCertSign,cRLSign -validity 1000 -rfc >int.crt
keytool -exportcert ${STORE} -alias r -rfc >r.crt
cat int.crt r.crt | keytool -importcert -noprompt ${STORE} -alias int 2>/dev/null
openssl pkcs12 -in s.p12 -passin pass:secret -nocerts -nodes | openssl pkey -out any.key
for key in $(seq 2); do openssl pkcs12 -in s.p12 -passin pass:secret -nocerts -nodes | awk -v n=$key '/BEGIN/{i++} i==n' >k$key; cmp -s <(openssl pkey -in k$key -pubout) <(openssl x509 -in int.crt -noout -pubkey) && cp k$key tls.key; done
cat int.crt r.crt >tls.crt`,
  ),
  keytool.refused(
    'a JKS keystore',
    `${GENKEYPAIR.replace('PKCS12', 'JKS')} -ext bc:c=ca:true 2>/dev/null; cp s.p12 tls.crt; new_key k; cp k.key tls.key`,
    {
      ground: 'form',
      message: /tls\.crt.*(JKS|Java).*keytool/,
      remedy:
        'Convert it: `keytool -importkeystore -srckeystore ca.jks -destkeystore ca.p12 -deststoretype PKCS12`, then `openssl pkcs12`.',
    },
  ),
];

const CERTTOOL_ROOT =
  "printf 'cn = GnuTLS Root\\nca\\ncert_signing_key\\ncrl_signing_key\\nexpiration_days = 3650\\n' >r.cfg; certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile r.key 2>/dev/null; certtool --generate-self-signed --load-privkey r.key --template r.cfg --outfile r.crt 2>/dev/null";

const CERTTOOL: readonly Kind[] = [
  certtool.ready('certtool --generate-self-signed with ca in its template', `${CERTTOOL_ROOT}; pair r`),
  certtool.ready(
    'certtool --generate-certificate, an intermediate with its root',
    `${CERTTOOL_ROOT}; sed 's/Root/Int/' r.cfg >int.cfg; certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile int.key 2>/dev/null; certtool --generate-certificate --load-privkey int.key --load-ca-certificate r.crt --load-ca-privkey r.key --template int.cfg --outfile int.crt 2>/dev/null; pair int r`,
  ),
  certtool.ready(
    'certtool --certificate-info, which prints text above the certificate',
    `${CERTTOOL_ROOT}; pair r; certtool --certificate-info --infile r.crt >tls.crt`,
  ),
  certtool.ready(
    'certtool, RSA',
    `${CERTTOOL_ROOT.replace('--key-type ecdsa --curve secp256r1', '--key-type rsa --bits 2048')}; pair r`,
  ),
  certtool.refused(
    'certtool --generate-self-signed without ca in its template',
    `${CERTTOOL_ROOT.replace('ca\\n', '')}; pair r`,
    {
      ground: 'path',
      message: /tls\.crt.*not a CA/,
      remedy: 'Write `ca` and `cert_signing_key` into the template.',
    },
  ),
];

const EASY_RSA =
  'export EASYRSA_BATCH=1 EASYRSA_PKI=$PWD/pki EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1; easyrsa init-pki >/dev/null';
const BUILT = 'cp pki/ca.crt tls.crt; cp pki/private/ca.key tls.key';

const NOT_CRITICAL = {
  message: /CN=.*basic ?constraints.*critical.*Python 3\.13.*openssl/i,
  remedy: `Basic constraints that are not critical. ${CERTIFY_AGAIN}`,
};

const EASY_RSAS: readonly Kind[] = [
  easyRsa.strict('easyrsa build-ca nopass', `${EASY_RSA}; easyrsa build-ca nopass >/dev/null; ${BUILT}`, NOT_CRITICAL),
  easyRsa.refused(
    'easyrsa build-ca, with a passphrase',
    `${EASY_RSA}; export EASYRSA_PASSIN=pass:secret EASYRSA_PASSOUT=pass:secret; easyrsa build-ca >/dev/null; ${BUILT}`,
    {
      ground: 'form',
      message: /tls\.key.*encrypted.*openssl pkey/,
      remedy: 'Decrypt the key: `openssl pkey -in pki/private/ca.key -out tls.key`.',
    },
  ),
  easyRsa.strict(
    'easyrsa build-ca subca, signed by another easy-rsa',
    `${EASY_RSA}; EASYRSA_REQ_CN=Root easyrsa build-ca nopass >/dev/null
(export EASYRSA_PKI=$PWD/sub; easyrsa init-pki >/dev/null; EASYRSA_REQ_CN=Sub easyrsa build-ca nopass subca >/dev/null)
easyrsa import-req sub/reqs/ca.req sub >/dev/null; easyrsa sign-req ca sub >/dev/null
cp pki/issued/sub.crt tls.crt; cp sub/private/ca.key tls.key; cp pki/ca.crt ca.crt`,
    NOT_CRITICAL,
  ),
  easyRsa.refused(
    'a client certificate of easyrsa with its key',
    `${EASY_RSA}; easyrsa build-ca nopass >/dev/null; easyrsa build-client-full client nopass >/dev/null; cp pki/issued/client.crt tls.crt; cp pki/private/client.key tls.key; cp pki/ca.crt ca.crt`,
    {
      ground: 'path',
      message: /tls\.crt.*not a CA/,
      remedy: 'Take pki/ca.crt and pki/private/ca.key.',
    },
  ),
];

/** The template name is "CA" or "SubCA" as BMPString; 21.1 is the version of the CA's certificate and key. */
const AD_CS_ROOT =
  'SUBJECT=/DC=local/DC=corp/CN=corp-DC1-CA certify r self basicConstraints=critical,CA:true keyUsage=digitalSignature,keyCertSign,cRLSign subjectKeyIdentifier=hash 1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:CA 1.3.6.1.4.1.311.21.1=ASN1:INTEGER:0';
const AD_CS_SUB = `${AD_CS_ROOT}; SUBJECT=/DC=local/DC=corp/CN=corp-SUB-CA certify int r basicConstraints=critical,CA:true keyUsage=digitalSignature,keyCertSign,cRLSign subjectKeyIdentifier=hash "$AKI" 1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:SubCA 1.3.6.1.4.1.311.21.1=ASN1:INTEGER:0 certificatePolicies=2.5.29.32.0 "crlDistributionPoints=URI:ldap:///CN=corp-DC1-CA?certificateRevocationList"`;
const XCA = `certify my self basicConstraints=critical,CA:true subjectKeyIdentifier=hash keyUsage=keyCertSign,cRLSign nsCertType=sslCA,emailCA,objCA 'nsComment=xca certificate'; pair my`;

const IMITATED: readonly Kind[] = [
  openssl.ready('AD CS: the root of an enterprise CA', `${AD_CS_ROOT}; pair r`),
  openssl.ready('AD CS: a subordinate CA, its root in ca.crt', `${AD_CS_SUB}; pair int; cp r.crt ca.crt`),
  openssl.ready(
    'AD CS: a CA that was renewed with the same key',
    `DAYS=30 ${AD_CS_ROOT}; mv r.crt old; ${AD_CS_ROOT.replace('INTEGER:0', 'INTEGER:1')}; pair r; cat old r.crt >tls.crt`,
  ),
  openssl.refused(
    'AD CS: the PFX that certutil -backup writes',
    `${AD_CS_ROOT}; openssl pkcs12 -export -in r.crt -inkey r.key -passout pass:x -out tls.crt; cp r.key tls.key`,
    {
      ground: 'form',
      message: /tls\.crt.*PKCS ?#12.*openssl pkcs12/,
      remedy:
        'Extract certificate and key: `openssl pkcs12 -legacy -in ca.p12 -nokeys -out ca.crt` and `-nocerts -nodes -out ca.key`.',
    },
  ),
  openssl.ready('XCA: the template CA', XCA),
  openssl.ready('XCA: certificate and key exported into one file', `${XCA}; cat my.key my.crt >tls.key`),
];

export const OTHER_TOOLS: readonly Kind[] = [...KEYTOOL, ...CERTTOOL, ...EASY_RSAS, ...IMITATED];
