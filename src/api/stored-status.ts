import { hash } from 'node:crypto';
import { parseRfc3339, toRfc3339 } from './conditions.ts';
import type { ClientCertificateStatus } from './generated/types.ts';
import { fromSeconds, toSeconds } from './moments.ts';
import { shared } from './shared.ts';

type Conditions = NonNullable<ClientCertificateStatus['conditions']>;

/** Some fields of a status, each of which may be absent. */
export type StatusFields<Field extends keyof ClientCertificateStatus> = {
  readonly [Each in Field]?: ClientCertificateStatus[Each] | undefined;
};

/** What is remembered of a status as it is stored: what a decision may need, and a digest that stands for all of it. */
export interface StoredStatus
  extends StatusFields<'observedGeneration' | 'conditions' | 'revision' | 'lastFailure' | 'nextAttemptTime'> {
  readonly digest: string;
  /** The CA generation, and the end of the certificate in seconds: for nothing but waiting. */
  readonly authorityGeneration?: number | undefined;
  readonly endSeconds?: number | undefined;
}

/** Enough that two statuses of one object never share one by chance. */
const DIGEST_BYTES = 12;

/** A fifth of the memory that the whole status would take; there is one for every ClientCertificate. */
export function storedStatus(status: ClientCertificateStatus): StoredStatus {
  return new Stored(status);
}

class Stored implements StoredStatus {
  readonly digest: string;
  readonly observedGeneration: number | undefined;
  readonly revision: number | undefined;
  readonly lastFailure: ClientCertificateStatus['lastFailure'];
  readonly nextAttemptTime: string | undefined;
  readonly authorityGeneration: number | undefined;
  readonly endSeconds: number | undefined;
  /** Where the one condition is Ready and True, as nearly always: since when, in seconds. */
  readonly #readySince: number | undefined;
  readonly #readyReason: string | undefined;
  /** The conditions otherwise. */
  readonly #conditions: Conditions | undefined;

  constructor(status: ClientCertificateStatus) {
    const { observedGeneration, conditions, revision, lastFailure, nextAttemptTime, authorityGeneration } = status;
    const end = parseRfc3339(status.notAfter);
    this.digest = digestOf(status);
    this.observedGeneration = observedGeneration;
    this.revision = revision;
    this.lastFailure = lastFailure;
    this.nextAttemptTime = nextAttemptTime;
    this.authorityGeneration = Number.isInteger(authorityGeneration) ? authorityGeneration : undefined;
    this.endSeconds = end && toSeconds(end);
    const since = readySince(conditions);
    this.#readySince = since;
    this.#readyReason = since === undefined ? undefined : shared(conditions?.[0]?.reason);
    this.#conditions = since === undefined ? conditions?.map(withoutPraise) : undefined;
  }

  get conditions(): Conditions | undefined {
    if (this.#readySince === undefined) return this.#conditions;
    const lastTransitionTime = toRfc3339(fromSeconds(this.#readySince));
    return [{ type: 'Ready', status: 'True', reason: this.#readyReason ?? '', message: '', lastTransitionTime }];
  }
}

/** Undefined unless the moment is written in the one way in which it is written again. */
function readySince(conditions: Conditions | undefined): number | undefined {
  const [ready, ...others] = conditions ?? [];
  if (ready === undefined || others.length > 0 || !isPraise(ready)) return undefined;
  const since = parseRfc3339(ready.lastTransitionTime);
  return since !== undefined && toRfc3339(since) === ready.lastTransitionTime ? toSeconds(since) : undefined;
}

function isPraise({ type, status }: Conditions[number]): boolean {
  return type === 'Ready' && status === 'True';
}

/** Of a good condition only the date is compared; its message counts only where it reports trouble. */
function withoutPraise(condition: Conditions[number]): Conditions[number] {
  if (!isPraise(condition)) return condition;
  const { type, status, reason, lastTransitionTime } = condition;
  return { type, status, reason: shared(reason), message: '', lastTransitionTime };
}

/** Whether writing `status` would change nothing. */
export function isStored(status: ClientCertificateStatus, stored: StoredStatus): boolean {
  return digestOf(status) === stored.digest;
}

function digestOf(status: ClientCertificateStatus): string {
  return hash('sha256', JSON.stringify(status, inOrder), 'buffer').toString('base64url', 0, DIGEST_BYTES);
}

/** The API server keeps the fields of an object in an order of its own. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
