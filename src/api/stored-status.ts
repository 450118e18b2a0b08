import { hash } from 'node:crypto';
import { parseRfc3339 } from './conditions.ts';
import type { ClientCertificateStatus } from './generated/types.ts';
import { toSeconds } from './moments.ts';
import { shared } from './shared.ts';

/** What is remembered of a status as it is stored: what a decision may need, and a digest that stands for all of it. */
export interface StoredStatus
  extends Pick<
    ClientCertificateStatus,
    'observedGeneration' | 'conditions' | 'revision' | 'lastFailure' | 'nextAttemptTime'
  > {
  readonly digest: string;
  /** The CA generation, and the end of the certificate in seconds: for nothing but waiting. */
  readonly authorityGeneration?: number;
  readonly endSeconds?: number;
}

/** Enough that two statuses of one object never share one by chance. */
const DIGEST_BYTES = 12;

/** A third of the memory that the whole status would take; there is one for every ClientCertificate. */
export function storedStatus(status: ClientCertificateStatus): StoredStatus {
  const { observedGeneration, conditions, revision, lastFailure, nextAttemptTime } = status;
  const { authorityGeneration } = status;
  const end = parseRfc3339(status.notAfter);
  const digest = digestOf(status);
  return {
    digest,
    ...(observedGeneration !== undefined && { observedGeneration }),
    ...(conditions !== undefined && { conditions: conditions.map(withoutPraise) }),
    ...(revision !== undefined && { revision }),
    ...(lastFailure !== undefined && { lastFailure }),
    ...(nextAttemptTime !== undefined && { nextAttemptTime }),
    ...(Number.isInteger(authorityGeneration) && { authorityGeneration }),
    ...(end !== undefined && { endSeconds: toSeconds(end) }),
  };
}

type Conditions = NonNullable<ClientCertificateStatus['conditions']>;

/** Of a good condition only the date is compared; its message counts only where it reports trouble. */
function withoutPraise(condition: Conditions[number]): Conditions[number] {
  const { type, status, reason, lastTransitionTime } = condition;
  if (type !== 'Ready' || status !== 'True') return condition;
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
