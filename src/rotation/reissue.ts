import { isRefused } from '../api/client-certificate.ts';
import { parseRfc3339 } from '../api/conditions.ts';
import { fromSeconds } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import type { AuthorityView } from '../certificate/authority-view.ts';
import { isFormer } from '../certificate/decision/needs.ts';
import { isOurs } from '../certificate/observed.ts';
import type { Consumer } from './deps.ts';
import { CLOCKS_APART_MS } from './generation.ts';
import type { Plan } from './plan-types.ts';

/** A ClientCertificate that is to be re-issued, since a former CA generation signed the valid certificate that it holds. */
export interface Former {
  /** namespace/name. */
  readonly key: string;
  readonly notAfter: Date;
  /** The code of its last failed attempt, where that failed since the generation of today signs, or a minute before. */
  readonly failure: string | undefined;
}

/** What stops the re-issue: so many fail, or more. */
export interface Stop {
  readonly failing: readonly Former[];
  readonly maxFailures: number;
}

type Signed = Pick<AuthorityView, 'generations' | 'signing' | 'leaving'>;

/**
 * The certificates that are to be re-issued. Those that are suspended, refused or being deleted are not issued at all, and
 * those that have expired are renewed as such; none of these counts.
 */
export function formersOf(consumers: readonly Consumer[], view: Signed, now: Date): Former[] {
  const { generations, signing, leaving } = view;
  const since = leaving?.since ?? signing?.since;
  const isAlone = leaving === undefined && [...generations.values()].every(({ signs }) => signs);
  if (since === undefined || isAlone) return [];
  return consumers.flatMap((consumer) => {
    const { resource } = consumer;
    if (resource.spec.suspended || resource.deleting !== undefined) return [];
    const notAfter = formerEnd(consumer, view);
    if (notAfter === undefined || notAfter <= now || isRefused(resource.status)) return [];
    return [{ key: keyOf(resource), notAfter, failure: failureSince(resource, since) }];
  });
}

/** The end of the certificate where a former generation signed it; by the status where its Secret is not in memory. */
function formerEnd({ resource, secret }: Consumer, view: Signed): Date | undefined {
  if (secret !== undefined && isOurs({ resource, secret })) {
    const { certificate } = secret;
    return certificate !== undefined && isFormer(certificate, view) ? certificate.notAfter : undefined;
  }
  const { authorityGeneration, endSeconds } = resource.status;
  const [issuer] = [...view.generations].find(([, { version }]) => version === authorityGeneration) ?? [];
  return issuer !== undefined &&
    endSeconds !== undefined &&
    isFormer({ issuerFingerprint: issuer, anchorFingerprints: [] }, view)
    ? fromSeconds(endSeconds)
    : undefined;
}

/** The clock by which the generation began to sign may have been ahead of the one by which the attempt failed. */
function failureSince({ status: { lastFailure } }: Consumer['resource'], since: Date): string | undefined {
  const at = parseRfc3339(lastFailure?.time);
  return at === undefined || at.getTime() < since.getTime() - CLOCKS_APART_MS
    ? undefined
    : (lastFailure?.reason ?? 'Unexpected');
}

/** Why no further certificate is released; undefined where fewer than `maxFailures` fail. */
export function stopOf(formers: readonly Former[], maxFailures: number): Stop | undefined {
  const failing = formers.filter(({ failure }) => failure !== undefined);
  return failing.length < maxFailures ? undefined : { failing: failing.sort(byExpiry), maxFailures };
}

/** Those to release next, the earliest expiry first: as many as there are tokens, and none while too many fail. */
export function nextReleases(
  formers: readonly Former[],
  released: ReadonlySet<string>,
  { maxFailures, tokens }: { readonly maxFailures: number; readonly tokens: number },
): string[] {
  if (tokens < 1 || stopOf(formers, maxFailures) !== undefined) return [];
  const waiting = formers.filter(({ key }) => !released.has(key));
  return waiting
    .sort(byExpiry)
    .slice(0, tokens)
    .map(({ key }) => key);
}

function byExpiry(one: Former, other: Former): number {
  return one.notAfter.getTime() - other.notAfter.getTime() || (one.key < other.key ? -1 : 1);
}

/** The figures, as a clause. */
export function whyStopped({ failing, maxFailures }: Stop): string {
  return `${failing.length} certificates fail, and spec.caRotation.reissue.maxFailures is ${maxFailures}`;
}

/** Those that fail, each with the code, for people. */
export function failingOf({ failing }: Stop): string[] {
  return failing.map(({ key, failure }) => `${key} (${failure})`);
}

/** The plan says what stops the re-issue, where that is what the next step waits for. */
export function withStop<Shown extends Pick<Plan, 'hold' | 'waitingFor'>>(plan: Shown, stop: Stop | undefined): Shown {
  const { hold } = plan;
  if (stop === undefined || hold?.reason !== 'CertificatesInUse') return plan;
  const message = `${hold.message}; re-issue is stopped, since ${whyStopped(stop)}: mend what refuses them (kubectl describe ccert), and it goes on by itself`;
  const waitingFor = failingOf(stop);
  return { ...plan, hold: { ...hold, reason: 'ReissueStopped', message, waitingFor }, waitingFor };
}
