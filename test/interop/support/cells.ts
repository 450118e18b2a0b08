import type { KeySpec } from '../../../src/pki/keys.ts';
import { P256 } from '../../pki/make.ts';

/** Every kind of key that a ClientCertificate can ask for. */
export const KEYS: readonly KeySpec[] = [
  P256,
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
  /** Of the root and the intermediates; ECDSA P-256 unless given. */
  readonly caKey?: KeySpec;
}

const KEY_CELLS: readonly Cell[] = ROLES.flatMap((role) =>
  KEYS.flatMap((key) => CHAINS.flatMap((chain) => TLS_VERSIONS.map((tls) => ({ role, key, tls, chain })))),
);

/** The other keys of CAs: each with a leaf of the default key and one intermediate. */
export const CA_KEYS: readonly KeySpec[] = KEYS.slice(1);

const CA_CELLS: readonly Cell[] = ROLES.flatMap((role) =>
  CA_KEYS.flatMap((caKey) => TLS_VERSIONS.map((tls) => ({ role, key: P256, tls, chain: 2 as const, caKey }))),
);

export const ALL_CELLS: readonly Cell[] = [...KEY_CELLS, ...CA_CELLS];

/**
 * What a short run tries: each role and TLS version once, with the default key and one intermediate; and the same below a CA
 * with one of the other keys, which is another one for each program.
 */
export function shortCells(program: string): readonly Cell[] {
  const at = [...program].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 997, 0) % CA_KEYS.length;
  return [
    ...KEY_CELLS.filter(({ key, chain }) => key === P256 && chain === 2),
    ...CA_CELLS.filter(({ caKey }) => caKey === CA_KEYS[at]),
  ];
}

/** Such as `ECDSA P-256`, `RSA 2048`, `Ed25519`. */
export function keyName(key: KeySpec): string {
  if (key.algorithm === 'Ed25519') return 'Ed25519';
  return `${key.algorithm} ${key.algorithm === 'ECDSA' ? 'P-' : ''}${key.size}`;
}

/** Such as `presents ECDSA P-256, TLS 1.3, chain of 2`: names the test, and the cell in the results. */
export function cellName({ tls, chain, ...cell }: Cell): string {
  return `${groupName(cell)}, TLS ${tls}, chain of ${chain}`;
}

/** Such as `presents ECDSA P-256 of a CA with RSA 2048`: the cells that are one test. */
export function groupName({ role, key, caKey }: Pick<Cell, 'role' | 'key' | 'caKey'>): string {
  return `${role} ${keyName(key)}${caKey === undefined ? '' : ` of a CA with ${keyName(caKey)}`}`;
}
