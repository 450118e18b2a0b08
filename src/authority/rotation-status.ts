import { type NewCondition, toRfc3339 } from '../api/conditions.ts';
import type { AuthorityStatus, CAGeneration, CARotationRequest } from '../api/generated/types.ts';
import { wholeSecondsUp } from '../api/moments.ts';
import { readable } from '../foreign-text.ts';
import { isSameCa } from '../pki/ca.ts';
import { type Generation, isLeaving, isPresent, mayHaveSigned } from '../rotation/generation.ts';
import { NEXT } from '../rotation/plan.ts';
import type { Plan } from '../rotation/plan-types.ts';
import { previewOf } from '../rotation/preview.ts';
import { type Stop, whyStopped } from '../rotation/reissue.ts';
import type { Trouble } from '../trouble.ts';

/** The schema takes no more, and would refuse the whole status. */
const GENERATIONS_KEPT = 20;
const STEPS_SHOWN = 40;
const LONGEST_SUBJECT = 4_096;
const LONGEST_CERTIFICATE = 16_384;

/** The reason of Rotating while no further certificate of a former generation is re-issued. */
export const REISSUE_STOPPED = 'ReissueStopped';

/** What a status says of a CA rotation is made from this. */
export interface RotationFindings {
  readonly generations: readonly Generation[];
  readonly signing: Generation | undefined;
  readonly plan: Omit<Plan, 'step'>;
  /** How many valid certificates each generation has, by its version; empty while no CA rotation is under way. */
  readonly certificates: ReadonlyMap<number, number>;
  readonly requests: readonly CARotationRequest[];
  /** What stops the re-issue of certificates of former generations. */
  readonly stop?: Stop | undefined;
  /** The type of the authority; generations of another one were brought by a former backend. */
  readonly source: string;
  /** Whether another machine holds the CA key. */
  readonly isElsewhere: boolean;
  /** Why nothing can be issued, and why a new CA pair was refused. */
  readonly trouble?: Trouble | undefined;
  readonly refused?: Trouble | undefined;
}

/** What is counted among those that block the next step, by its reason; certificates for any other. */
const BLOCKERS: Readonly<Record<string, string>> = { TrustNotProven: 'verifiers', CRLNotDelivered: 'places' };

/** The condition Rotating, only while a CA rotation is under way. */
export function rotatingCondition(findings: RotationFindings): NewCondition[] {
  const { generations, signing, source, isElsewhere, plan } = findings;
  // The machine has given it up, and certificates of it were published early.
  const isGivenUp = ({ version }: Generation) =>
    plan.next?.to === 'Retired' && plan.next.generation.version === version;
  const unused = generations.filter((each) => !mayHaveSigned(each));
  const coming = unused.find((each) => isPresent(each, source) && !isGivenUp(each));
  const stranded = unused.find((each) => !isPresent(each, source));
  // Between the write that makes the new one sign and the next, the old one is still marked as active.
  const leaving = generations.find(
    (each) =>
      isLeaving(each) ||
      (!mayHaveSigned(each) && isGivenUp(each)) ||
      (each.state === 'Active' && each !== signing && !isElsewhere),
  );
  if (coming === undefined && leaving === undefined && stranded === undefined) return [];
  const blockers = BLOCKERS[plan.hold?.reason ?? ''] ?? 'certificates';
  const waiting =
    listed('waiting for', blockers, plan.waitingFor) + listed('left behind:', 'certificates', plan.leftBehind);
  const isRenewed = leaving !== undefined && signing !== undefined && signsForBoth(leaving, signing);
  const texts = [
    coming && comingText(coming, isElsewhere),
    coming === undefined && leaving !== undefined ? leavingText(leaving, isRenewed, findings) : undefined,
    stranded && strandedText(stranded, source),
  ];
  const message = `${texts.filter((each) => each !== undefined).join('; ')}${holdText(plan)}${standstillText(findings)}${waiting}`;
  const reason = coming === undefined && !isRenewed ? 'Reissuing' : 'SpreadingTrust';
  return [{ type: 'Rotating', status: 'True', ...whileStopped({ reason, message }, findings) }];
}

function comingText({ version, state }: Generation, isElsewhere: boolean): string {
  if (isElsewhere) return `generation ${version} goes into every ca.crt, and its certificates are withheld`;
  return state === 'Trusted'
    ? `generation ${version} is trusted, and doesn't sign yet`
    : `generation ${version} goes into every ca.crt before it signs`;
}

function strandedText({ version, source: former }: Generation, source: string): string {
  return `generation ${version} of the former backend ${former} never signs, and leaves every ca.crt once a CA of the backend ${source} is in use`;
}

function leavingText(leaving: Generation, isRenewed: boolean, { signing, isElsewhere }: RotationFindings): string {
  if (isRenewed)
    return `generation ${leaving.version} leaves every ca.crt; what it signed is good under generation ${signing?.version} too`;
  if (isElsewhere) return `generation ${leaving.version} is trusted until no valid certificate of it is left`;
  return `certificates of generation ${leaving.version} are being re-issued`;
}

/** The next step, and until when it waits for what; those that block it are listed behind. */
function holdText({ next, hold }: RotationFindings['plan']): string {
  if (next === undefined || hold === undefined) return '';
  const moment = hold.deadline ?? hold.until;
  const until =
    moment === undefined
      ? ''
      : ` (${hold.deadline === undefined ? '' : 'at the latest '}${toRfc3339(wholeSecondsUp(moment))})`;
  return `; generation ${next.generation.version} becomes ${next.to} once ${hold.message}${until}`;
}

/**
 * What a CA rotation under way stands still for, though nothing is planned: its next CA can't be read, or a step can't be
 * written. Where nothing can be issued, that is shown as such.
 */
export function standstillOf({
  generations,
  source,
  plan,
  refused,
}: RotationFindings): { readonly to: CAGeneration['state']; readonly reason: string } | undefined {
  if (plan.next !== undefined || refused === undefined) return undefined;
  const coming = generations.find((each) => !mayHaveSigned(each) && isPresent(each, source));
  if (coming !== undefined && coming.state !== 'Active') return { to: NEXT[coming.state], reason: refused.code };
  return generations.some(isLeaving) ? { to: 'Retired', reason: refused.code } : undefined;
}

/** While its CA can't be read nothing is planned, and what a person asks for waits too. */
function standstillText({ plan, trouble, refused }: RotationFindings): string {
  const { code } = refused ?? trouble ?? {};
  return plan.next !== undefined || code === undefined ? '' : `; no step is taken before ${code} is mended`;
}

/** Whether what the one has signed needn't be issued anew under the other. */
function signsForBoth({ path: one }: Generation, { path: other }: Generation): boolean {
  return one.certificate.fingerprintSHA256 === other.certificate.fingerprintSHA256 || isSameCa(one, other);
}

function listed(what: string, noun: string, keys: readonly string[]): string {
  return keys.length === 0 ? '' : `; ${what} ${keys.length} ${noun}, such as ${keys.slice(0, 5).join(', ')}`;
}

/** The condition names a stopped re-issue, whatever the plan waits for; where the plan names it too, it stands there once. */
function whileStopped(
  { reason, message }: Pick<NewCondition, 'reason' | 'message'>,
  { plan, stop }: RotationFindings,
): Pick<NewCondition, 'reason' | 'message'> {
  if (stop === undefined) return { reason, message };
  const isPlanned = plan.hold?.reason === REISSUE_STOPPED;
  const isStopped = isPlanned ? '' : `; re-issue is stopped, since ${whyStopped(stop)}`;
  return { reason: REISSUE_STOPPED, message: `${message}${isStopped}` };
}

/** `status.caRotation`: the steps to come, and the answers to annotations. */
export function rotationStatus({
  generations,
  signing,
  plan,
  requests,
}: RotationFindings): Pick<AuthorityStatus, 'caRotation'> {
  const steps = previewOf(plan, generations, signing).slice(0, STEPS_SHOWN);
  if (steps.length === 0 && requests.length === 0) return {};
  return {
    caRotation: {
      ...(steps.length === 0 ? {} : { plan: steps }),
      ...(requests.length === 0 ? {} : { requests: [...requests] }),
    },
  };
}

/** Those in use from their Secrets, the retired from what status has kept of them. */
export function describeGenerations(
  { generations, certificates }: RotationFindings,
  known: readonly CAGeneration[],
  now: Date,
): Pick<AuthorityStatus, 'generations'> {
  const living = generations.map((each) => describe(each, certificates.get(each.version)));
  const versions = new Set(living.map(({ version }) => version));
  const retired = known.filter(({ version }) => !versions.has(version)).map((each) => retiredOf(each, now));
  const byVersion = (one: CAGeneration, other: CAGeneration) => other.version - one.version;
  const all = [...living, ...retired].sort(byVersion);
  // Where there are too many: the version of the newest is never given again, the one that signs is the oldest while its
  // successors come and go, and what became of the others is worth least.
  const [newest] = all;
  const rank = (each: CAGeneration) =>
    each === newest ? 0 : each.state === 'Active' ? 1 : each.state === 'Retired' ? 3 : 2;
  const kept = [...all]
    .sort((one, other) => rank(one) - rank(other) || byVersion(one, other))
    .slice(0, GENERATIONS_KEPT);
  return all.length === 0 ? {} : { generations: kept.sort(byVersion) };
}

function retiredOf({ certificates, ...known }: CAGeneration, now: Date): CAGeneration {
  return known.state === 'Retired' ? known : { ...known, state: 'Retired', since: toRfc3339(now) };
}

function describe(
  { version, state, since, path: { certificate } }: Generation,
  certificates: number | undefined,
): CAGeneration {
  return {
    version,
    state,
    since: toRfc3339(since),
    ...(certificates === undefined ? {} : { certificates }),
    subject: readable(certificate.subjectText, LONGEST_SUBJECT),
    serialNumber: certificate.serialNumber,
    fingerprintSHA256: certificate.fingerprintSHA256,
    publicKeyPinSHA256: certificate.publicKeyPin,
    notBefore: toRfc3339(certificate.notBefore),
    notAfter: toRfc3339(certificate.notAfter),
    ...(certificate.pem.length > LONGEST_CERTIFICATE ? {} : { certificate: certificate.pem }),
  };
}
