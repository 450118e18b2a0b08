import type { KeySpec } from '../../../src/pki/keys.ts';

/** Every kind of key that a ClientCertificate can ask for. */
export const KEYS: readonly KeySpec[] = [
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'ECDSA', size: 521 },
  { algorithm: 'RSA', size: 2048 },
  { algorithm: 'RSA', size: 3072 },
  { algorithm: 'RSA', size: 4096 },
  { algorithm: 'Ed25519' },
];
export const TLS_VERSIONS = ['1.2', '1.3'] as const;
/** How many certificates tls.crt holds: the leaf, and none to two intermediates. The root is in ca.crt alone. */
export const CHAINS = [1, 2, 3] as const;

export type TlsVersion = (typeof TLS_VERSIONS)[number];
export type ChainLength = (typeof CHAINS)[number];

/**
 * What a program does with a certificate: it presents its own to its peers, and verifies those of its peers. The two are
 * tried apart, since a program may read a kind of key that it doesn't verify.
 */
export const ROLES = ['presents', 'verifies'] as const;
export type Role = (typeof ROLES)[number];

/** One certificate that a program is tried with. The peer's certificate is then ECDSA P-256 with one intermediate. */
export interface Cell {
  readonly role: Role;
  readonly key: KeySpec;
  readonly tls: TlsVersion;
  readonly chain: ChainLength;
}

export const ALL_CELLS: readonly Cell[] = ROLES.flatMap((role) =>
  KEYS.flatMap((key) => CHAINS.flatMap((chain) => TLS_VERSIONS.map((tls) => ({ role, key, tls, chain })))),
);

/** What a short run tries: each role and TLS version once, with the default key and one intermediate. */
export const SHORT_CELLS: readonly Cell[] = ALL_CELLS.filter(
  ({ key, chain }) => keyName(key) === 'ECDSA P-256' && chain === 2,
);

/** Such as `ECDSA P-256`, `RSA 2048`, `Ed25519`. */
export function keyName(key: KeySpec): string {
  if (key.algorithm === 'Ed25519') return 'Ed25519';
  return `${key.algorithm} ${key.algorithm === 'ECDSA' ? 'P-' : ''}${key.size}`;
}

/** Such as `presents ECDSA P-256, TLS 1.3, chain of 2`: names the test, and the cell in the results. */
export function cellName({ role, key, tls, chain }: Cell): string {
  return `${role} ${keyName(key)}, TLS ${tls}, chain of ${chain}`;
}
