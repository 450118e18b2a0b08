import { isDeepStrictEqual } from 'node:util';
import type { AuthorityView } from '../certificate/authority-view.ts';
import { idOfChain } from '../pki/ca.ts';
import { canSign, isPresent, mayHaveSigned, signingOf, sourceOf } from '../rotation/generation.ts';
import type { Trouble } from '../trouble.ts';
import type { AuthorityDeps } from './deps.ts';
import type { Runtime } from './runtime.ts';

/** Between two backends, and after an expired CA, the new CA doesn't sign before its trust is spread, and the former one doesn't sign any more. */
export function spreading(runtime: Runtime, now: Date): Trouble | undefined {
  // One that a former backend brought never signs: what is wrong with the present one is the trouble then.
  const own = runtime.generations.filter((each) => isPresent(each, sourceOf(runtime)));
  const prepared = own.find((each) => !mayHaveSigned(each) && canSign(each));
  if (prepared === undefined || signingOf(runtime, now) !== undefined) return undefined;
  const message = `CA generation ${prepared.version} goes into every ca.crt before it signs, and the former one signs no more; Rotating says what it waits for`;
  return { code: 'AuthorityNotReady', message };
}

/** What certificates see of the authority from now on; those to whom it makes a difference are reconciled. */
export function publishView(key: string, runtime: Runtime, seen: AuthorityView, deps: AuthorityDeps): void {
  const before = runtime.view;
  // A server whose every refusal reads otherwise must not have the status of each certificate written at each probe.
  const isSameTrouble = before !== undefined && before.trouble?.code === seen.trouble?.code;
  const view = isSameTrouble ? { ...seen, trouble: before.trouble } : seen;
  runtime.view = view;
  // Its owner notes it down.
  if (deps.isFollowed?.(key) !== true) auditTrust(key, runtime, before, view, deps);
  if (before === undefined || !isDeepStrictEqual(visible(before), visible(view))) deps.wakeCertificates(key);
}

/** Which CA certificates verifiers must trust from now on; with the first view of a process what it begins with. */
function auditTrust(
  key: string,
  { resource }: Runtime,
  before: AuthorityView | undefined,
  { trust }: AuthorityView,
  { audit }: AuthorityDeps,
): void {
  if (audit === undefined || trust.anchors.size === 0 || before?.trust.hash === trust.hash) return;
  const isFirst = before === undefined || before.trust.anchors.size === 0;
  const anchors = [...trust.anchors.keys()];
  audit.write({
    event: 'trustChanged',
    authority: key,
    uid: resource.uid,
    anchors,
    reason: isFirst ? 'Found' : 'Changed',
  });
}

/** The part of a view whose change means that certificates must look again. */
function visible(view: AuthorityView) {
  const { trouble, trust, intermediates, signing, limits, generations, usableAnchors, followedAnchors } = view;
  const below = idOfChain(intermediates);
  return { usableAnchors, followedAnchors, trouble, hash: trust.hash, below, signing, limits, generations };
}
