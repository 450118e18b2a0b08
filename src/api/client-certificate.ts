import { CertwheelError, type ErrorCode, TerminalError } from '../errors.ts';
import { cut, oneLine } from '../foreign-text.ts';
import type { KeySpec } from '../pki/keys.ts';
import type { Subject } from '../pki/name.ts';
import type { ReadCsr } from '../pki/read-csr.ts';
import type { Names } from '../pki/san.ts';
import { type Broken, type Condition, parseRfc3339 } from './conditions.ts';
import { type CsrSource, parseCsrSource } from './csr-source.ts';
import { parseDuration } from './duration.ts';
import { clientCertificateSpecSchema } from './generated/schemas.ts';
import type { ClientCertificateSpec, ClientCertificateStatus } from './generated/types.ts';
import { type PrivateKeyFields, parseKeySpec } from './key-spec.ts';
import { GROUP, KUBECTL_LAST_APPLIED, LONGEST_NAME, RENEW_AT_ANNOTATION, REQUESTED_BY_ANNOTATION } from './names.ts';
import { type Outputs, parseOutputs } from './outputs.ts';
import { type ObjectMeta, parseMeta, type RawObject, validator } from './parse.ts';
import { type RevocationRequest, revocationRequest } from './revocation.ts';
import { shared } from './shared.ts';
import { type StatusFields, type StoredStatus, storedStatus } from './stored-status.ts';
import { templateProblem } from './template-keys.ts';

export type AuthorityKind = 'CertificateAuthority' | 'ClusterCertificateAuthority';

export interface AuthorityRef {
  readonly kind: AuthorityKind;
  readonly name: string;
}

/** Whom a certificate names, and what for: all that an authority puts its signature under. */
export interface Identity {
  readonly subject: Subject;
  readonly names: Names;
  readonly usages: readonly string[];
}

/** What the team asked for, with every default filled in; durations in milliseconds. */
export interface CertificateSpec {
  readonly authorityRef: AuthorityRef;
  readonly secretName: string;
  readonly identity: Identity;
  readonly durationMs: number;
  readonly renewBefore: { readonly ms: number } | { readonly percentage: number } | undefined;
  readonly key: KeySpec;
  readonly keyEncoding: 'PKCS8' | 'PKCS1';
  /** False: a renewal keeps the private key that the Secret holds, or that of the request of the client. */
  readonly rotatesKey: boolean;
  /** Where the request of a client is that keeps its key itself; undefined where Certwheel makes the key. */
  readonly csr: CsrSource | undefined;
  /** What is there, once a reconcile has read it; `key` is then the kind of its key. A problem is the rest of a sentence. */
  readonly request?: ReadCsr | { readonly problem: string } | undefined;
  readonly outputs: Outputs;
  readonly secretLabels: Readonly<Record<string, string>>;
  readonly secretAnnotations: Readonly<Record<string, string>>;
  readonly suspended: boolean;
  readonly deletionPolicy: 'Delete' | 'Retain';
}

/** The fields of a spec that an authority puts its signature under. */
type RequestFields = Pick<
  ClientCertificateSpec,
  'commonName' | 'subject' | 'dnsNames' | 'uris' | 'emailAddresses' | 'ipAddresses' | 'usages' | 'duration'
> & { readonly privateKey?: PrivateKeyFields };

/** The failures in status, read back so that a restart doesn't forget a backoff. */
export interface LastFailure {
  readonly at: Date;
  readonly attempts: number;
  readonly nextAttemptAt: Date;
}

export interface ClientCertificate extends ObjectMeta {
  readonly spec: CertificateSpec;
  /** The moment that a person asked for with the renew-at annotation. */
  readonly renewAt: Date | undefined;
  /** The beginning of that annotation, where it says no moment. */
  readonly unreadRenewAt: string | undefined;
  /** What annotations ask to revoke; undefined where they ask for nothing. */
  readonly revoke: RevocationRequest | undefined;
  /** The user in the requested-by annotation, which anybody may have written where no admission policy checks it. */
  readonly requestedBy: string | undefined;
  /** Compared with what we would write, and never a source of authority. */
  readonly status: StoredStatus;
}

/** A ClientCertificate that can't be served whatever else holds. */
export interface BrokenClientCertificate extends ObjectMeta, Broken {
  /** As its spec names it, if it does. */
  readonly secretName: string | undefined;
  readonly status: ClientCertificateStatus;
}

const SHORTEST_LIFE_MS = 60_000;
const NONE: readonly string[] = Object.freeze([]);

const validate = validator<ClientCertificateSpec>(clientCertificateSpecSchema);

export function parseClientCertificate(object: RawObject): ClientCertificate | BrokenClientCertificate {
  const meta = parseMeta(object);
  const status = (object.status ?? {}) as ClientCertificateStatus;
  try {
    // Not by a spread, which keeps what is added to it apart, at 50 bytes for each of thousands.
    return {
      namespace: meta.namespace,
      name: meta.name,
      uid: meta.uid,
      resourceVersion: meta.resourceVersion,
      generation: meta.generation,
      createdAt: meta.createdAt,
      deleting: meta.deleting,
      revocationHold: meta.revocationHold,
      spec: parseSpec(validate(object.spec)),
      renewAt: parseRfc3339(object.metadata?.annotations?.[RENEW_AT_ANNOTATION]),
      unreadRenewAt: unreadMoment(object.metadata?.annotations?.[RENEW_AT_ANNOTATION]),
      revoke: revocationRequest(object.metadata?.annotations),
      requestedBy: userOf(object.metadata?.annotations?.[REQUESTED_BY_ANNOTATION]),
      status: storedStatus(status),
    };
  } catch (error) {
    if (error instanceof CertwheelError) return brokenClientCertificate(object, error.message);
    throw error;
  }
}

export function brokenClientCertificate(object: RawObject, problem: string, code?: ErrorCode): BrokenClientCertificate {
  const status = (object.status ?? {}) as ClientCertificateStatus;
  return { ...parseMeta(object), problem, ...(code && { code }), secretName: secretNameOf(object.spec), status };
}

/** Of what may be a whole page, as much as shows what it is. */
const LONGEST_UNREAD = 64;

function unreadMoment(text: string | undefined): string | undefined {
  if (text === undefined || parseRfc3339(text) !== undefined) return undefined;
  const line = oneLine(text.slice(0, 4 * LONGEST_UNREAD));
  return line.length > LONGEST_UNREAD ? `${cut(line, LONGEST_UNREAD)}…` : line;
}

function userOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shared(cut(oneLine(text.slice(0, 4 * LONGEST_NAME)), LONGEST_NAME));
}

function secretNameOf(spec: unknown): string | undefined {
  const { secretName } = (spec ?? {}) as { secretName?: unknown };
  return typeof secretName === 'string' ? secretName : undefined;
}

export function isBroken(resource: ClientCertificate | BrokenClientCertificate): resource is BrokenClientCertificate {
  return 'problem' in resource;
}

export function conditionsOf(status: StatusFields<'conditions'>): readonly Condition[] {
  return (status.conditions ?? []) as readonly Condition[];
}

/** Whether nothing is issued until something else changes. */
export function isRefused(status: StatusFields<'conditions'>): boolean {
  return conditionsOf(status).some(({ type, status: value }) => type === 'Stalled' && value === 'True');
}

export function lastFailureOf(status: StatusFields<'lastFailure' | 'nextAttemptTime'>): LastFailure | undefined {
  const at = parseRfc3339(status.lastFailure?.time);
  const nextAttemptAt = parseRfc3339(status.nextAttemptTime);
  if (at === undefined || nextAttemptAt === undefined) return undefined;
  return { at, attempts: attemptsOf(status.lastFailure?.attempts), nextAttemptAt };
}

/** How many attempts in a row had failed; 0 where none did. It is kept while the next attempt awaits its answer. */
export function failedAttempts({ lastFailure }: StatusFields<'lastFailure'>): number {
  return lastFailure === undefined ? 0 : attemptsOf(lastFailure.attempts);
}

/** A writer of status may write nonsense. The backoff reaches its longest well before so many attempts. */
const MOST_ATTEMPTS = 1_000_000;

function attemptsOf(attempts: unknown): number {
  return Number.isInteger(attempts) ? Math.min(Math.max(1, attempts as number), MOST_ATTEMPTS) : 1;
}

/** What is requested of an authority, with every default filled in. Throws a TerminalError where it makes no sense. */
export function parseRequest(spec: RequestFields): Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'> {
  const { commonName } = spec;
  return {
    identity: {
      subject: { ...(commonName === undefined ? {} : { commonName }), ...spec.subject },
      names: {
        dnsNames: spec.dnsNames ?? NONE,
        uris: spec.uris ?? NONE,
        emailAddresses: spec.emailAddresses ?? NONE,
        ipAddresses: spec.ipAddresses ?? NONE,
      },
      usages: shared(spec.usages ?? NONE),
    },
    durationMs: parseLife(spec.duration ?? '24h'),
    key: shared(parseKeySpec(spec.privateKey)),
  };
}

function parseSpec(spec: ClientCertificateSpec): CertificateSpec {
  const problem = templateProblem(spec.secretTemplate ?? {});
  if (problem !== undefined) throw new TerminalError('InvalidSpec', problem);
  const { identity, durationMs, key } = parseRequest(spec);
  // Not by a spread: see parseClientCertificate.
  return {
    authorityRef: shared({ kind: spec.authorityRef.kind ?? 'CertificateAuthority', name: spec.authorityRef.name }),
    secretName: spec.secretName,
    identity,
    durationMs,
    key,
    renewBefore: parseRenewBefore(spec),
    keyEncoding: spec.privateKey?.encoding ?? 'PKCS8',
    rotatesKey: spec.privateKey?.rotationPolicy !== 'Never',
    csr: parseCsrSource(spec),
    outputs: shared(parseOutputs(spec)),
    secretLabels: shared(forTemplate(spec.secretTemplate?.labels)),
    secretAnnotations: shared(forTemplate(spec.secretTemplate?.annotations)),
    suspended: spec.suspend ?? false,
    deletionPolicy: spec.deletionPolicy ?? 'Delete',
  };
}

// What follows is CEL's part, but what is stored may be older than the rule.

function parseLife(duration: string): number {
  const ms = parseDuration(duration) ?? 0;
  if (ms < SHORTEST_LIFE_MS) throw new TerminalError('InvalidSpec', `spec.duration ${duration} is shorter than 1m`);
  return ms;
}

/** Keys of our own, and the one under which kubectl keeps a whole manifest, can't come from a template. */
function forTemplate(entries: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const allowed = Object.entries(entries).filter(
    ([key]) => !key.startsWith(`${GROUP}/`) && key !== KUBECTL_LAST_APPLIED,
  );
  return Object.fromEntries(allowed);
}

function parseRenewBefore(spec: ClientCertificateSpec): CertificateSpec['renewBefore'] {
  if (spec.renewBeforePercentage !== undefined) return { percentage: spec.renewBeforePercentage };
  const ms = spec.renewBefore === undefined ? undefined : parseDuration(spec.renewBefore);
  return ms === undefined ? undefined : { ms };
}
