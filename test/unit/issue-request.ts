import { randomUUID } from 'node:crypto';
import type { Backend, Issued, IssueRequest } from '../../src/backends/backend.ts';
import type { CertificateView } from '../../src/pki/certificate.ts';
import { makeCsr } from '../../src/pki/csr.ts';
import { generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { NO_NAMES } from '../../src/pki/san.ts';

/** A request to a backend for a certificate of one hour with a new key. */
export async function issueRequest(
  commonName = 'alice',
  fields: Partial<Pick<IssueRequest, 'lifetimeMs' | 'requester'>> = {},
): Promise<IssueRequest> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const identity = { subject: { commonName }, names: NO_NAMES, usages: ['digital signature', 'client auth'] };
  return {
    id: randomUUID(),
    requester: { namespace: 'shop', name: commonName, uid: randomUUID() },
    publicKey: publicKeyDer(key),
    csr: () => makeCsr({ key, ...identity }),
    identity,
    lifetimeMs: 3_600_000,
    ...fields,
  };
}

/** The certificate in the answer of a backend that did not defer it. */
export function leafOf(issued: Awaited<ReturnType<Backend['issue']>>): CertificateView {
  const [leaf] = (issued as Issued).chain;
  if (leaf === undefined) throw new Error('no certificate');
  return leaf;
}
