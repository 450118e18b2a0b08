import type { RawObject } from '../../api/parse.ts';
import type { Issued } from '../../backends/backend.ts';
import type { TrustBundle } from '../../pki/bundle.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { wayToAnchor } from '../../pki/chain.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import { parsePem, toPem } from '../../pki/pem.ts';
import { reencoded } from '../../pki/reencode.ts';
import { type AuthorityView, authorityName } from '../authority-view.ts';
import { grantedLife } from '../decision/schedule.ts';
import type { Observed } from '../observed.ts';
import { ownTrustFor, trustFor } from '../prove.ts';
import type { UnpublishedCertificate } from '../request/unpublished.ts';
import type { CertificateMemory } from './annotations.ts';
import type { CertificateFacts } from './facts.ts';
import { ledgerWith } from './ledger-with.ts';
import { contentOf, type SecretContent } from './read-content.ts';
import { renderPem, type SecretData } from './render.ts';
import type { Seal } from './seal.ts';
import { holdsKey } from './secret-type.ts';

/** What is written into the Secret of a certificate: its data, and what its annotations remember. */
interface Contents {
  readonly data: SecretData;
  readonly memory: CertificateMemory;
}

/** For a certificate that was issued and proven; `content` is what the data holds. */
export function composeIssued(
  seen: Observed,
  view: AuthorityView,
  { issued, key, issuedAt }: UnpublishedCertificate,
  now: Date,
  seal?: Seal,
): Contents & { readonly content: SecretContent } {
  const { resource } = seen;
  const trust = trustFor(issued, view);
  const chain = chainToPublish(issued, view, ownTrustFor(issued, view), now);
  const [leaf] = chain;
  if (leaf === undefined) throw new Error('nothing is published that was not proven');
  const keyEncoding = key.type === 'private' ? resource.spec.keyEncoding : undefined;
  const data = {
    certificateChain: chain.map((each) => each.pem).join(''),
    privateKey: keyEncoding && encodePrivateKey(key, keyEncoding),
    trustBundle: trust.pem,
  };
  const { serialNumber, notAfter } = leaf;
  const { externalId } = issued;
  // Once for the ledger and for the view of what is written: it verifies the signatures up to the root.
  const content = contentOf(chain, keyEncoding, renderPem(data)['ca.crt']);
  const issuerFingerprint = content.issuer.fingerprintSHA256;
  const sealedFor = seen.issuedBy ?? authorityName(resource);
  const latest = { serialNumber, notAfter, externalId, issuerFingerprint, issuedAt, sealedFor };
  const memory = {
    revision: seen.revision + 1,
    authority: authorityName(resource),
    issuedBy: seen.issuedBy,
    // The generations of a fallback are counted for themselves.
    authorityGeneration: seen.issuedBy === undefined ? issued.generation : undefined,
    requestedDurationMs: resource.spec.durationMs,
    issuedAt,
    ledger: ledgerWith(seen, view, [latest], now, seal),
  };
  return { data, memory, content };
}

/** For the certificate that the Secret holds, with the trust bundle, the chain and the encoding of today. */
export function composeHeld(
  seen: Observed,
  view: AuthorityView,
  held: CertificateFacts,
  stored: RawObject,
  now: Date,
  seal?: Seal,
): Contents {
  const { data, memory } = composeStored(seen, view, stored, now, { seal });
  return {
    data: {
      ...data,
      certificateChain: chainFor(held, data.certificateChain, view),
      privateKey: data.privateKey && reencoded(data.privateKey, seen.resource.spec.keyEncoding),
    },
    memory,
  };
}

/** What the Secret holds, byte for byte, with the trust bundle of today; without a key in one whose `type` has none. */
export function composeStored(
  seen: Observed,
  view: AuthorityView,
  stored: RawObject | undefined,
  now: Date,
  { type = stored?.type, seal }: { readonly type?: string | undefined; readonly seal?: Seal | undefined } = {},
): Contents {
  const data = {
    certificateChain: textOf(stored, 'tls.crt'),
    privateKey: holdsKey(type) ? textOf(stored, 'tls.key') : undefined,
    trustBundle: view.trust.pem === '' ? textOf(stored, 'ca.crt') : view.trust.pem,
  };
  return { data, memory: memoryOf(seen, view, now, seal) };
}

/** A key of the data of a Secret, as text; empty where there is none. */
export function textOf(object: RawObject | undefined, key: string): string {
  return Buffer.from(object?.data?.[key] ?? '', 'base64').toString('latin1');
}

/** In order, since some TLS stacks read a chain only so. */
function chainToPublish(
  { chain, generation }: Issued,
  { signing, issuers, intermediates }: AuthorityView,
  trust: TrustBundle,
  now: Date,
): readonly CertificateView[] {
  const [leaf] = chain;
  // What a CA rotation compares with later; a search among the roots of two CAs could find another path.
  if (leaf !== undefined && generation !== undefined && generation === signing?.version) return [leaf, ...issuers];
  return wayToAnchor([...chain, ...intermediates], [...trust.anchors.values()], now);
}

/** As it is; of the CA that signs now, with the certificates that lead to its root now. */
function chainFor(
  { issuerFingerprint }: CertificateFacts,
  stored: string,
  { signing, issuers }: AuthorityView,
): string {
  if (signing?.fingerprintSHA256 !== issuerFingerprint) return stored;
  const [leaf] = parsePem(stored);
  return leaf === undefined ? stored : [toPem(leaf.label, leaf.der), ...issuers.map(({ pem }) => pem)].join('');
}

function memoryOf(seen: Observed, view: AuthorityView, now: Date, seal: Seal | undefined): CertificateMemory {
  const { resource, secret, held } = seen;
  const { memory } = secret ?? {};
  const { durationMs } = resource.spec;
  return {
    revision: Math.max(1, seen.revision),
    authority: authorityName(resource),
    issuedBy: held && memory?.issuedBy,
    authorityGeneration: held && view.generations.get(held.issuerFingerprint)?.version,
    requestedDurationMs: memory?.requestedDurationMs ?? durationMs,
    issuedAt: memory?.issuedAt ?? (held && momentOfIssue(held, durationMs, now)),
    ledger: ledgerWith(seen, view, [], now, seal),
  };
}

/**
 * When a certificate was issued, from what it says itself: at the begin of its life without what it reaches back, at the
 * end of that second, since it counts whole ones. Too early a moment would honour an old renew-at once more.
 */
function momentOfIssue(held: CertificateFacts, durationMs: number, now: Date): Date {
  const { startMs } = grantedLife(held, durationMs, { issuedAt: undefined, now });
  return new Date(Math.min(startMs + 999, now.getTime()));
}
