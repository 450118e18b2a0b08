import { createPublicKey } from 'node:crypto';
import type { ClientCertificate } from '../../src/api/client-certificate.ts';
import type { ReadCsr } from '../../src/pki/read-csr.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { aCertificate } from './builders.ts';

const PUBLIC_KEY = createPublicKey(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`);

/** The request of a client as a reconcile has read it; a certificate of `aSecret` is over its key. */
export function aRequest(fields: Partial<ReadCsr> = {}): ReadCsr {
  return {
    der: Buffer.from('request'),
    subject: { commonName: 'client' },
    foreignAttributes: [],
    names: NO_NAMES,
    foreignNames: [],
    isCA: false,
    usages: [],
    furtherWishes: [],
    publicKey: PUBLIC_KEY,
    publicKeyPin: 'pin',
    keySpec: { algorithm: 'ECDSA', size: 256 },
    fingerprintSHA256: 'f0',
    ...fields,
  };
}

/** A ClientCertificate of a client that keeps its key, with what was read of the request. */
export function aClientsOwn(
  request: ClientCertificate['spec']['request'] = aRequest(),
  certificate = aCertificate(),
): ClientCertificate {
  const resource = certificate.asking({ csr: { configMapKeyRef: { name: 'partner', key: 'client.csr' } } }).build();
  const key = request === undefined || 'problem' in request ? resource.spec.key : request.keySpec;
  return { ...resource, spec: { ...resource.spec, request, key } };
}
