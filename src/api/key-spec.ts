import { TerminalError } from '../errors.ts';
import type { KeySpec } from '../pki/keys.ts';

export interface PrivateKeyFields {
  algorithm?: 'ECDSA' | 'Ed25519' | 'RSA';
  size?: number;
}

const SIZES: Readonly<Record<string, (size: number) => boolean>> = {
  ECDSA: (size) => [256, 384, 521].includes(size),
  RSA: (size) => size >= 2048 && size <= 4096 && size % 2 === 0,
};

/** Size has no default in the schema, since it depends on the algorithm: 256 for ECDSA, 2048 for RSA. */
export function parseKeySpec(fields: PrivateKeyFields | undefined): KeySpec {
  const { algorithm = 'ECDSA', size } = fields ?? {};
  // CEL's part, but what is stored may be older; no key can be made of it.
  if (size !== undefined && SIZES[algorithm]?.(size) === false)
    throw new TerminalError('InvalidSpec', `spec.privateKey.size ${size} is no size of an ${algorithm} key`);
  switch (algorithm) {
    case 'Ed25519':
      return { algorithm };
    case 'RSA':
      return { algorithm, size: size ?? 2048 };
    default:
      return { algorithm: 'ECDSA', size: (size ?? 256) as 256 | 384 | 521 };
  }
}
