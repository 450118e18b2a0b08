import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '../../../cluster/audit.ts';
import type { World } from '../../support/world.ts';

const MUTATING: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];
/** An answer is in the log a moment after it has arrived. */
const LOG_DELAY_MS = 500;

/** What a user has asked of the API server since a moment, by the server's own book; a watch counts when it opens. */
export async function requestsOf({ cluster }: World, user: string, since = new Date(0)): Promise<AuditEvent[]> {
  await sleep(LOG_DELAY_MS);
  const events = await cluster.auditEvents();
  return events.filter(
    ({ user: { username }, requestReceivedTimestamp, stage, verb }) =>
      username === user &&
      new Date(requestReceivedTimestamp) >= since &&
      (verb === 'watch') === (stage === 'ResponseStarted'),
  );
}

export function isWrite({ verb }: AuditEvent): boolean {
  return MUTATING.includes(verb);
}

export function isOnLease({ objectRef }: AuditEvent): boolean {
  return objectRef?.resource === 'leases';
}

/** `patch secrets`, `patch clientcertificates/status`: enough to compare and to read. */
export function shortly({ verb, objectRef = {} }: AuditEvent): string {
  const { resource = '?', subresource } = objectRef;
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}
