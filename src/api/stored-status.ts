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
  /** The conditions but for their moments, as one instance for the many certificates of which the same holds. */
  readonly #said: readonly Said[] | undefined;
  readonly #since: Moments;

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
    this.#said = conditions && shared(conditions.map(withoutPraise));
    this.#since = momentsOf(conditions ?? []);
  }

  get conditions(): Conditions | undefined {
    const since = this.#since;
    const momentAt = typeof since === 'number' ? () => toRfc3339(fromSeconds(since)) : (index: number) => since[index];
    return this.#said?.map((each, index) => ({ ...each, lastTransitionTime: momentAt(index) ?? '' }));
  }
}

type Said = Omit<Conditions[number], 'lastTransitionTime'>;

/** When each condition last changed: as texts, or the second in which all of them did, as nearly always. */
type Moments = number | readonly string[];

function momentsOf(conditions: Conditions): Moments {
  const texts = conditions.map(({ lastTransitionTime }) => lastTransitionTime);
  const first = parseRfc3339(texts[0]);
  // A number only for what is written in the one way in which it is written again.
  return first !== undefined && texts.every((text) => text === toRfc3339(first)) ? toSeconds(first) : texts;
}

/** Of a good condition only the date is compared; its message counts only where it reports trouble. */
function withoutPraise({ lastTransitionTime: _, ...said }: Conditions[number]): Said {
  const { type, status, reason } = said;
  return type === 'Ready' && status === 'True' ? { type, status, reason, message: '' } : said;
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
