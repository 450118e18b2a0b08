import { accepted, type Pasted, refused, SECRET, UTF16 } from './kind.ts';

const good = accepted('key');
const notPem = refused('key', 'NotPem');
const empty = refused('key', 'Empty');
const encrypted = refused('key', 'EncryptedKey');
const unreadable = refused('key', 'UnreadableKey');
const noKey = refused('key', 'NoKey');

export const KEYS: readonly Pasted[] = [
  good('PKCS#8', 'cat ca.key'),
  good('SEC 1', 'cat sec1.key'),
  good('SEC 1 with the parameters in front', 'openssl ecparam -name prime256v1; cat sec1.key'),
  good('PKCS#1', 'openssl rsa -in rsa.key -traditional 2>/dev/null', { other: true }),
  good('Ed25519', 'openssl genpkey -algorithm Ed25519', { other: true }),
  good('the certificate before it', 'cat ca.crt ca.key'),
  good('certificates and the public key beside it', 'cat ca.key ca.pub ca.crt other.crt'),
  good('the text of openssl pkey -text', 'openssl pkey -in ca.key -text'),
  good('the bag attributes of openssl pkcs12', 'openssl pkcs12 -in ca.p12 -nodes -passin pass:secret'),
  good('line ends of Windows and a byte order mark', String.raw`printf '\357\273\277'; sed 's/$/\r/' ca.key`),
  good('SEC 1 with the label of PKCS#8', "sed 's/EC PRIVATE/PRIVATE/' sec1.key"),
  good('PKCS#8 with the label of SEC 1', "sed 's/PRIVATE/EC PRIVATE/' ca.key"),
  good('headers in the block', "sed '1s/$/\\nX-Note: ours\\n/' ca.key"),
  empty('an empty value', 'true', 'this is empty'),
  notPem(
    'DER',
    'openssl pkey -in ca.key -outform DER',
    'this is a private key in DER, not PEM; convert it with: openssl pkey -inform DER',
  ),
  notPem('SEC 1 in DER', 'openssl ec -in ca.key -outform DER 2>/dev/null', 'this is a private key in DER'),
  notPem(
    'PKCS#1 in DER',
    'openssl rsa -in rsa.key -traditional -outform DER 2>/dev/null',
    'this is a private key in DER',
    { other: true },
  ),
  notPem('PKCS#12', 'cat ca.p12', 'openssl pkcs12 -in ca.p12 -nocerts -nodes', { answers: SECRET }),
  notPem(
    'JKS',
    'keytool -importkeystore -noprompt -srckeystore ca.p12 -srcstorepass secret -destkeystore key.jks -deststoretype JKS -deststorepass secret >&2; cat key.jks',
    'this is a Java keystore (JKS)',
    { answers: SECRET },
  ),
  encrypted(
    'encrypted PKCS#8',
    'cat encrypted.key',
    ', block 1: this is an encrypted private key; decrypt it with: step crypto change-pass',
    { answers: SECRET },
  ),
  encrypted(
    'encrypted PKCS#8 in DER',
    'openssl pkcs8 -topk8 -in ca.key -outform DER -passout pass:secret',
    'this is an encrypted private key in DER',
    { answers: SECRET },
  ),
  encrypted(
    'encrypted SEC 1, as step makes it',
    'openssl ec -in ca.key -aes256 -passout pass:secret 2>/dev/null',
    'this is an encrypted private key',
    { answers: SECRET },
  ),
  encrypted(
    'an encrypted key with the label of a plain one',
    "sed 's/ENCRYPTED //' encrypted.key",
    'this is an encrypted private key under the label of a plain one',
    { answers: SECRET },
  ),
  notPem('base64 of an encrypted key', 'base64 encrypted.key', 'this is base64 of PEM', { afterwards: 'EncryptedKey' }),
  unreadable(
    'an RSA key of OpenSSH',
    'rm -f s; ssh-keygen -q -t rsa -b 2048 -N "" -f s; cat s',
    'in the form of OpenSSH; convert it with: ssh-keygen',
    { other: true },
  ),
  unreadable(
    'an Ed25519 key of OpenSSH',
    'rm -f s; ssh-keygen -q -t ed25519 -N "" -f s; cat s',
    'in the form of OpenSSH; convert it with: step',
    { other: true, needs: ['step'] },
  ),
  noKey('a public key', 'cat ca.pub', ', block 1: this is a public key, not a private key'),
  noKey('an RSA public key', 'openssl rsa -in rsa.key -RSAPublicKey_out 2>/dev/null', 'this is a public key'),
  noKey(
    'an RSA public key in DER',
    'openssl rsa -in rsa.key -RSAPublicKey_out -outform DER 2>/dev/null',
    'this is a public key',
  ),
  notPem(
    'a public key of OpenSSH',
    'rm -f s; ssh-keygen -q -t ed25519 -N "" -f s; cat s.pub',
    'this is an SSH key, not PEM, and only its public half',
  ),
  noKey('a certificate', 'cat ca.crt', 'this is a certificate, not a private key'),
  noKey('a certificate in DER', 'openssl x509 -in ca.crt -outform DER', 'this is a certificate in DER'),
  noKey('a certificate request', 'cat ca.csr', 'this is a certificate request (CSR), not a private key'),
  noKey('PKCS#7', 'cat ca.p7b', 'this is a PKCS#7 file, not a private key'),
  noKey('PKCS#7 in DER', 'openssl pkcs7 -in ca.p7b -outform DER', 'this is a PKCS#7 file, which holds no private key'),
  noKey('parameters alone', 'openssl ecparam -name prime256v1', 'this is a block "EC PARAMETERS", not a private key'),
  noKey(
    'a certificate with the label of a key',
    "sed 's/CERTIFICATE/PRIVATE KEY/' ca.crt",
    'this is a certificate, not a private key',
  ),
  unreadable('two keys', 'cat ca.key other.key', ', block 2: this is a second private key'),
  unreadable(
    'an EC key on another curve',
    'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1',
    'unsupported curve secp256k1; P-256, P-384 and P-521 are supported',
    { other: true },
  ),
  unreadable(
    'an EC key with an explicit curve',
    'openssl ec -in ca.key -param_enc explicit 2>/dev/null',
    'explicit curve parameters; name the curve with: openssl ec',
  ),
  unreadable(
    'PKCS#8 with an explicit curve',
    'openssl pkey -in ca.key -ec_param_enc explicit',
    'explicit curve parameters',
  ),
  unreadable(
    'a DSA key',
    'openssl dsaparam -genkey -noout 1024 2>/dev/null',
    'this is a DSA key; RSA, ECDSA and Ed25519 are supported; make a new CA with: ',
    {
      other: true,
    },
  ),
  unreadable('an Ed448 key', 'openssl genpkey -algorithm Ed448', 'this is an Ed448 key; RSA, ECDSA', {
    other: true,
  }),
  unreadable('an X25519 key', 'openssl genpkey -algorithm X25519', 'this is an X25519 key; RSA, ECDSA', {
    other: true,
  }),
  unreadable(
    'an RSA-PSS key',
    'openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 2>/dev/null',
    'this is an RSA-PSS key; RSA, ECDSA',
    { other: true },
  ),
  unreadable('an RSA key of 1024 bits', 'openssl genrsa 1024', 'an RSA key of 1024 bits; at least 2048 are needed', {
    other: true,
  }),
  unreadable(
    'a key cut short',
    `head -1 ca.key; sed -n 2p ca.key; tail -1 ca.key`,
    'this is a private key that is damaged',
    { other: true },
  ),
  notPem(
    'a JWK',
    `echo '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}'`,
    'a key in JSON (JWK)',
    { other: true, needs: ['step'] },
  ),
  notPem('a key of PuTTY', 'echo PuTTY-User-Key-File-3: ssh-ed25519', 'this is a key of PuTTY'),
  notPem('a file of Ansible Vault', "echo '$ANSIBLE_VAULT;1.1;AES256'; echo 6162", 'encrypted by Ansible Vault'),
  notPem('UTF-16', 'iconv -t UTF-16 ca.key', UTF16),
  notPem('base64 of PEM', 'base64 ca.key', 'this is base64 of PEM'),
  notPem('line breaks as two letters', String.raw`awk '{printf "%s\\n", $0}' ca.key`, String.raw`the two letters \n`),
  notPem(
    'a manifest in YAML',
    'printf "data:\\n  tls.crt: "; base64 -w0 ca.crt; printf "\\n  tls.key: "; base64 -w0 ca.key',
    'text around base64 of PEM',
  ),
  notPem('the END line of another encoding', "sed '/END/s/PRIVATE/EC PRIVATE/' ca.key", 'ends as "EC PRIVATE KEY"'),
  notPem(
    'a password',
    'echo correct-horse-battery-staple',
    'this is not PEM: there is no line "-----BEGIN PRIVATE KEY-----"',
  ),
];
