import { keyOf } from '../../api/parse.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { chainsTo } from '../../pki/chain.ts';
import type { AuthorityView } from '../authority-view.ts';
import { withheldUntil } from '../decision/withheld.ts';
import type { Observed } from '../observed.ts';
import { ownTrustFor } from '../prove.ts';
import type { RequestDeps } from './deps.ts';
import { storeKey } from './keep-key.ts';
import { isRequestId, type NextKey, requestId, type Withheld } from './next-key.ts';
import { abandonRequest, forgetOrLeave } from './remove.ts';
import { isUnderWay, underWay } from './request.ts';
import type { UnpublishedCertificate } from './unpublished.ts';

/** Why a certificate is withheld. */
export interface Withholding {
  /** What it leads to, and what is not shown to be trusted. */
  readonly anchor: CertificateView;
  /** When it is published all the same. */
  readonly until: Date;
}

/**
 * Why a certificate can't be published yet: another machine has signed it with a CA that isn't shown to be trusted, and the
 * Secret holds one of a CA that is. It is published at the latest when that one ends.
 */
export function withholding(
  { issued }: UnpublishedCertificate,
  seen: Observed,
  view: AuthorityView,
  now: Date,
): Withholding | undefined {
  const { usableAnchors: usable, intermediates } = view;
  const until = withheldUntil(seen, view, now);
  if (usable === undefined || until === undefined) return undefined;
  const leadsTo = (anchors: readonly CertificateView[]) => chainsTo([...issued.chain, ...intermediates], anchors);
  const anchors = [...ownTrustFor(issued, view).anchors.values()];
  if (leadsTo(anchors.filter(({ fingerprintSHA256 }) => usable.has(fingerprintSHA256)))) return undefined;
  const anchor = anchors.find((each) => leadsTo([each]));
  return anchor && { anchor, until };
}

/** Keeps it, with its key, in the Secret NAME-next, where it outlives us. */
export async function withhold(
  seen: Observed,
  made: UnpublishedCertificate,
  { anchor, until }: Withholding,
  deps: RequestDeps,
  signal: AbortSignal,
): Promise<void> {
  const { resource, wanted = '' } = seen;
  const { key, issued, issuedAt } = made;
  const remembered = deps.awaited.under(keyOf(resource));
  const former = remembered === undefined ? seen.next : asStored(remembered, seen.next);
  const isSame = former !== undefined && isRequestId(former.id, resource.uid, wanted, key);
  const id = isSame ? former.id : requestId(resource.uid, wanted, key);
  // Other writers may have changed what the annotations say, by which it is decided whether to wait.
  if (isSame && former.withheld !== undefined && isStored(former.withheld, made, anchor)) return;
  if (former !== undefined && !isSame) await forgetOrLeave(former, deps, signal);
  const ticket = issued.externalId ?? (isSame ? former?.ticket : undefined);
  const content = {
    id,
    wanted,
    ticket,
    denied: undefined,
    withheld: { at: issuedAt, anchor: anchor.fingerprintSHA256 },
  };
  const next = await storeKey(seen, content, key, former, deps, issued);
  deps.awaited.keep({ next, key, issued });
  const { namespace, name } = resource;
  deps.log.info('certificate withheld', { namespace, name, ca: anchor.subjectText, until });
}

/** A request as this process remembers it, in the Secret as it is stored now: another writer may have changed that since. */
function asStored(remembered: NextKey, stored: NextKey | undefined): NextKey {
  if (stored?.uid !== remembered.uid) return remembered;
  const { resourceVersion, withheld } = stored;
  return { ...remembered, resourceVersion, withheld };
}

function isStored({ anchor, leaf }: Withheld, { issued }: UnpublishedCertificate, below: CertificateView): boolean {
  return anchor === below.fingerprintSHA256 && leaf?.fingerprintSHA256 === issued.chain[0]?.fingerprintSHA256;
}

/** Whether it leads to a CA that the machine has given up before it was shown to be trusted. */
export function isGivenUp({ issued }: UnpublishedCertificate, view: AuthorityView): boolean {
  const { followedAnchors: followed, intermediates } = view;
  const anchors = [...ownTrustFor(issued, view).anchors.values()];
  const isFollowed = ({ fingerprintSHA256 }: CertificateView) => followed?.has(fingerprintSHA256) === true;
  return followed !== undefined && !chainsTo([...issued.chain, ...intermediates], anchors.filter(isFollowed));
}

/** What is withheld for what is wanted now. What can't be used any more is removed. */
export async function takeWithheld(
  seen: Observed,
  isGood: (made: UnpublishedCertificate) => boolean,
  deps: RequestDeps,
  signal: AbortSignal,
): Promise<UnpublishedCertificate | undefined> {
  const { next } = seen;
  if (next === undefined || !isUnderWay(seen)) return undefined;
  // Where another writer took the annotations away, this process still knows.
  const { withheld } = next.withheld === undefined ? (deps.awaited.of(next)?.next ?? next) : next;
  if (withheld === undefined) return undefined;
  const kept = await underWay(seen, deps);
  const made = kept?.issued && { issued: kept.issued, key: kept.key, issuedAt: withheld.at };
  if (made !== undefined && isGood(made)) return made;
  await abandonRequest(next, deps, signal);
  return undefined;
}
