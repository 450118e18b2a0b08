import type { Resource } from '../../../src/api/names.ts';

/** A product that is measured. */
export interface Peer {
  readonly name: string;
  /** The user by which the API server knows it. */
  readonly user: string;
  readonly certificates: Resource;
  /** Resources of which a round leaves objects behind. */
  readonly leaves: readonly string[];
  /** Makes an authority of this namespace, over the CA pair in its Secret `ca-pair`. */
  prepare(namespace: string): Promise<void>;
  start(): Promise<Running>;
  /** One certificate with a P-256 key that is new at each renewal. */
  certificate(namespace: string, name: string): object;
}

export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The names and the lifetime, alike for all. */
export function identity(namespace: string, name: string) {
  return {
    secretName: `${name}-tls`,
    commonName: name,
    uris: [`spiffe://example.com/ns/${namespace}/sa/${name}`],
    duration: '24h',
    usages: ['digital signature', 'client auth'],
    privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
  };
}
