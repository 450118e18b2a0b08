/** What is refused of a private key, be it that of a certificate or that of a CA. */
import type { Json } from './api.ts';

export const KEY_SIZE =
  'size of an ECDSA key must be 256, 384 or 521, that of an RSA key from 2048 to 4096 in steps of 256, such as 2048, 3072 or 4096; an Ed25519 key has one size only, so leave size out';

export const KEY_RULES: { refuses: string; key: Json; good: Json }[] = [
  { refuses: 'an ECDSA key of 512 bits', key: { size: 512 }, good: { size: 521 } },
  {
    refuses: 'an ECDSA key with a size of RSA',

    key: { algorithm: 'ECDSA', size: 2048 },
    good: { algorithm: 'ECDSA', size: 256 },
  },
  {
    refuses: 'an RSA key of 1024 bits',

    key: { algorithm: 'RSA', size: 1024 },
    good: { algorithm: 'RSA', size: 2048 },
  },
  {
    refuses: 'an RSA key of an odd size',

    key: { algorithm: 'RSA', size: 2049 },
    good: { algorithm: 'RSA', size: 2304 },
  },
  {
    refuses: 'an RSA key with a size of ECDSA',

    key: { algorithm: 'RSA', size: 384 },
    good: { algorithm: 'RSA', size: 4096 },
  },
  {
    refuses: 'an Ed25519 key with a size',

    key: { algorithm: 'Ed25519', size: 256 },
    good: { algorithm: 'Ed25519' },
  },
];
