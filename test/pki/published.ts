import type { Identity } from '../../src/api/client-certificate.ts';
import type { LeafRevocation } from '../../src/backends/shared/leaf-revocation.ts';
import { ownCA } from '../../src/backends/shared/own-ca.ts';
import type { CaPair } from '../../src/pki/ca.ts';
import type { CertificateView } from '../../src/pki/certificate.ts';
import { proveIssued, withoutRoot } from '../../src/pki/chain.ts';
import { NAME_FIELDS } from '../../src/pki/san.ts';
import { FakeClock } from '../unit/fake-clock.ts';
import { SILENT } from '../unit/own-authority.ts';

/** Certificates as they stand in the Secret of a client. */
export interface Published {
  /** The leaf first. */
  readonly tlsCrt: readonly CertificateView[];
  readonly caCrt: readonly CertificateView[];
}

/** What a client of the CA gets. Throws an Error where the proof of the answer refuses it. */
export async function publishedBy(
  pair: CaPair,
  identity: Identity,
  publicKeyDer: Buffer,
  lifetimeMs: number,
  now: Date,
  revocation?: LeafRevocation,
): Promise<Published> {
  const backend = ownCA({
    name: 'shop/ca',
    clock: new FakeClock(now),
    log: SILENT,
    signing: () => ({ version: 1, path: pair, signer: pair.signer }),
    trusted: () => [pair],
    revocation,
  });
  const requester = { namespace: 'shop', name: 'client', uid: 'uid' };
  const request = { id: '1', requester, publicKey: publicKeyDer, csr: () => Buffer.alloc(0), identity, lifetimeMs };
  const { chain } = await backend.issue(request, new AbortController().signal);
  const flaw = proveIssued({
    chain,
    anchors: [pair.anchor],
    expected: { ...identity, publicKeyDer, now },
    carries: ['commonName', 'subject', ...NAME_FIELDS],
  });
  if (flaw !== undefined) throw new Error(flaw.field === undefined ? flaw.problem : `${flaw.field}: ${flaw.problem}`);
  return { tlsCrt: [...chain.slice(0, 1), ...withoutRoot(pair.chain)], caCrt: [pair.anchor] };
}
