import { type Kind, kindsOf } from './kind.ts';

/** Kinds of CA keys, and the forms in which tls.key holds them; all made with openssl. */
const { ready, refused } = kindsOf('openssl');

const TYPES = 'Make a CA with an ECDSA (P-256, P-384, P-521), RSA (2048 to 8192 bits) or Ed25519 key.';

/** The message may name the key or the certificate: either holds the key that can't be used. */
const unsupported = (
  kind: string,
  recipe: string,
  ground: 'path' | 'rule',
  seen: RegExp,
  remedy: string = TYPES,
): Kind =>
  refused(kind, recipe, {
    ground,
    message: new RegExp(`tls\\.(crt|key).*(${seen.source})`, 'i'),
    remedy,
  });

const ofType = (...options: readonly string[]) => `new_key my ${options.join(' ')}; root my; pair my`;

const TYPES_OF_KEYS: readonly Kind[] = [
  ready('EC P-384', ofType('EC', 'ec_paramgen_curve:P-384')),
  ready('EC P-521', ofType('EC', 'ec_paramgen_curve:P-521')),
  ready('Ed25519', ofType('ED25519')),
  ready('RSA 3072', 'rsa_key my 3072; root my; pair my'),
  ready('RSA 4096', 'rsa_key my 4096; root my; pair my'),
  ready('RSA 8192', 'rsa_key my 8192; root my; pair my'),
  unsupported('RSA 1024', ofType('RSA', 'rsa_keygen_bits:1024'), 'rule', /1024 bits/),
  unsupported(
    'RSA 2048 with the public exponent 3',
    ofType('RSA', 'rsa_keygen_bits:2048', 'rsa_keygen_pubexp:3'),
    'rule',
    /exponent 3/,
    'Make the key again with the exponent 65537, which openssl takes by itself.',
  ),
  unsupported('EC P-224', ofType('EC', 'ec_paramgen_curve:P-224'), 'rule', /secp224r1|P-224/),
  unsupported('EC secp256k1', ofType('EC', 'ec_paramgen_curve:secp256k1'), 'path', /secp256k1/),
  unsupported('EC brainpoolP256r1', ofType('EC', 'ec_paramgen_curve:brainpoolP256r1'), 'path', /brainpool/),
  unsupported(
    'EC P-256 with explicit parameters',
    ofType('EC', 'ec_paramgen_curve:P-256', 'ec_param_enc:explicit'),
    'path',
    /explicit|curve|parameters/,
    'Make the key again with a named curve (`-pkeyopt ec_param_enc:named_curve`).',
  ),
  unsupported(
    'EC P-256 with a compressed point',
    'new_key k; openssl pkey -in k.key -ec_conv_form compressed -out my.key; root my; pair my',
    'path',
    /compressed/,
    'Go refuses it: write the key with `openssl pkey -ec_conv_form uncompressed`, and certify it again.',
  ),
  unsupported('Ed448', ofType('ED448'), 'path', /ed448/),
  unsupported('DSA 2048', 'openssl dsaparam -genkey -noout -out my.key 2048; root my; pair my', 'path', /DSA/),
  unsupported('an RSA key that is for RSASSA-PSS alone', ofType('RSA-PSS', 'rsa_keygen_bits:2048'), 'path', /pss/),
];

const key = (what: string) => `root my; pair my; ${what}`;

const FORMS_OF_KEYS: readonly Kind[] = [
  ready('an RSA key in PKCS#1', 'rsa_key my 2048; root my; pair my; openssl rsa -in my.key -traditional -out tls.key'),
  ready(
    'openssl ecparam -genkey, with its EC PARAMETERS block',
    'openssl ecparam -name prime256v1 -genkey -out my.key; root my; pair my',
  ),
  ready('a key with CRLF line ends', key("sed -i 's/$/\\r/' tls.key")),
  ready('a certificate beside the key in tls.key', key('cat my.crt my.key >tls.key')),
  ready(
    'certificate and key out of PKCS#12, with bag attributes',
    'root my; openssl pkcs12 -export -in my.crt -inkey my.key -name my-ca -passout pass:x -out my.p12; openssl pkcs12 -in my.p12 -passin pass:x -nokeys -out tls.crt; openssl pkcs12 -in my.p12 -passin pass:x -nocerts -nodes -out tls.key',
  ),
  ready('comments around the key', key("sed -i '1i # the key of our CA' tls.key")),
  refused('an encrypted PKCS#8 key', key('openssl pkcs8 -topk8 -in my.key -passout pass:x -out tls.key'), {
    ground: 'form',
    message: /tls\.key.*encrypted.*openssl pkey/,
    remedy: 'Decrypt it: `openssl pkey -in ca.key -out tls.key`.',
  }),
  refused(
    'openssl req without -nodes',
    'openssl req -x509 -newkey rsa:2048 -passout pass:secret -keyout tls.key -out tls.crt -subj /CN=my-ca',
    {
      ground: 'form',
      message: /tls\.key.*encrypted.*openssl pkey/,
      remedy: 'Decrypt the key: `openssl pkey -in ca.key -out tls.key`.',
    },
  ),
  refused(
    'a key that is encrypted in the old form (Proc-Type: 4,ENCRYPTED)',
    'rsa_key my 2048; root my; pair my; openssl rsa -in my.key -traditional -aes256 -passout pass:x -out tls.key',
    {
      ground: 'form',
      message: /tls\.key.*encrypted.*openssl pkey/,
      remedy: 'Decrypt it: `openssl pkey -in ca.key -out tls.key`.',
    },
  ),
  refused('a key in DER', key('openssl pkey -in my.key -outform DER -out tls.key'), {
    ground: 'form',
    message: /tls\.key.*DER.*openssl pkey -inform DER/,
    remedy: 'Convert it: `openssl pkey -inform DER -in ca.der -out tls.key`.',
  }),
  refused('a public key in tls.key', key('openssl pkey -in my.key -pubout -out tls.key'), {
    ground: 'form',
    message: /tls\.key.*public key/i,
    remedy: 'Put the private key there.',
  }),
  refused('a certificate in tls.key', key('cp my.crt tls.key'), {
    ground: 'form',
    message: /tls\.key.*(certificate|no private key)/i,
    remedy: 'Put the private key there.',
  }),
  refused('the key of another CA', key('new_key other; cp other.key tls.key'), {
    ground: 'form',
    message: /tls\.key.*not the key of CN=my in tls\.crt/,
    remedy:
      'Put certificate and key of one CA there; `openssl x509 -pubkey` and `openssl pkey -pubout` print what must be the same.',
  }),
  refused('a key of ssh-keygen', key('rm tls.key; ssh-keygen -q -t ecdsa -b 256 -N "" -f tls.key'), {
    ground: 'form',
    message: /tls\.key.*OpenSSH/i,
    remedy: 'Convert it: `ssh-keygen -p -m PEM -f ca.key`.',
  }),
  refused('an empty tls.key', key(': >tls.key'), {
    ground: 'form',
    message: /tls\.key/,
    remedy: 'Put the private key there.',
  }),
];

export const KEYS: readonly Kind[] = [...TYPES_OF_KEYS, ...FORMS_OF_KEYS];
