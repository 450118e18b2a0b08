import { randomBytes } from 'node:crypto';
import { toRfc3339 } from '../../../src/api/conditions.ts';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, type Resource } from '../../../src/api/names.ts';

/** A kind whose status is written, with contents as the controller writes them. */
export interface Kind {
  readonly resource: Resource;
  /** The file in crds/. */
  readonly file: string;
  spec(name: string): Record<string, unknown>;
  /** Another one each time. */
  status(now: Date): { conditions: { type: string }[]; [field: string]: unknown };
}

const ready = (message: string, now: Date) => [
  {
    type: 'Ready',
    status: 'True',
    reason: 'Issued',
    message,
    observedGeneration: 1,
    lastTransitionTime: toRfc3339(now),
  },
];
const hex = (bytes: number) => randomBytes(bytes).toString('hex');

export const KINDS: readonly Kind[] = [
  {
    resource: CLIENT_CERTIFICATES,
    file: 'clientcertificates.yaml',
    spec: (name) => ({
      authorityRef: { name: 'ca' },
      secretName: `${name}-tls`,
      commonName: name,
      uris: [`spiffe://example.com/ns/default/sa/${name}`],
    }),
    status: (now) => ({
      observedGeneration: 1,
      conditions: ready(`valid until ${toRfc3339(now)}`, now),
      revision: 2,
      authorityGeneration: 1,
      serialNumber: hex(16),
      fingerprintSHA256: hex(32),
      notBefore: toRfc3339(now),
      notAfter: toRfc3339(now),
      renewalTime: toRfc3339(now),
    }),
  },
  {
    resource: CERTIFICATE_AUTHORITIES,
    file: 'certificateauthorities.yaml',
    spec: (name) => ({ selfManaged: { commonName: name }, limits: { maxDuration: '168h' } }),
    status: (now) => ({
      observedGeneration: 1,
      backend: 'selfManaged',
      conditions: ready('generation 1 signs', now),
      activeGeneration: 1,
      notAfter: toRfc3339(now),
      generations: [{ version: 1, state: 'Active', fingerprintSHA256: hex(32), notAfter: toRfc3339(now) }],
    }),
  },
];
