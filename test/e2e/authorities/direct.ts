import { randomUUID } from 'node:crypto';
import type { Authority, Issued, IssueRequest } from '../../../src/authorities/authority.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { makeCsr } from '../../../src/pki/csr.ts';
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { NO_NAMES } from '../../../src/pki/san.ts';

/** What a backend is asked for without a controller: a certificate for a new key. */
export async function request(commonName: string, lifetimeMs = 3_600_000): Promise<IssueRequest> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const identity = {
    subject: { commonName },
    names: NO_NAMES,
    usages: ['digital signature', 'client auth'],
  } satisfies IssueRequest['identity'];
  return {
    id: randomUUID(),
    requester: { namespace: 'ns', name: commonName, uid: randomUUID() },
    publicKey: publicKeyDer(key),
    csr: () => makeCsr({ key, ...identity }),
    identity,
    lifetimeMs,
  };
}

export function leafOf(issued: Awaited<ReturnType<Authority['issue']>>): CertificateView {
  const [leaf] = (issued as Issued).chain;
  if (leaf === undefined) throw new Error('no certificate');
  return leaf;
}
