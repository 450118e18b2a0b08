import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '../../../cluster/audit.ts';
import { eventually } from '../../support/eventually.ts';
import { plainApi } from '../../support/plain-api.ts';
import type { World } from '../../support/world.ts';

const MUTATING: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];
/** What is written down of one request comes less than this after what is written down of a later one. */
const DISORDER_MS = 100;

/** All that the API server has written down of requests that were answered since this file began, until now. */
export async function auditEvents({ cluster }: World): Promise<AuditEvent[]> {
  const marker = randomUUID();
  await plainApi(cluster).send('GET', `/version?${marker}`);
  await eventually('the audit log has come so far', async () =>
    (await cluster.auditEvents()).some(({ requestURI }) => requestURI.endsWith(marker)),
  );
  await sleep(DISORDER_MS);
  // Another file may have asked the same API server before.
  const events = await cluster.auditEvents();
  return events.filter(
    ({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp) >= performance.timeOrigin,
  );
}

/** What a user has asked of the API server since a moment, by the server's own book; a watch counts when it opens. */
export async function requestsOf(world: World, user: string, since = new Date(0)): Promise<AuditEvent[]> {
  const events = await auditEvents(world);
  return events.filter(
    ({ user: { username }, requestReceivedTimestamp, stage, verb }) =>
      username === user &&
      new Date(requestReceivedTimestamp) >= since &&
      (verb === 'watch') === (stage === 'ResponseStarted'),
  );
}

/**
 * When the API server had done each write to an object, by its own book, the oldest first. `resource` is such as
 * `clientcertificates/status`.
 */
export async function writesTo(
  world: World,
  resource: string,
  namespace: string | undefined,
  name: string,
): Promise<Date[]> {
  const events = await auditEvents(world);
  const done = events.filter(
    (event) =>
      isWrite(event) &&
      event.stage === 'ResponseComplete' &&
      (event.responseStatus?.code ?? 500) < 300 &&
      resourceOf(event) === resource &&
      event.objectRef?.namespace === namespace &&
      event.objectRef?.name === name,
  );
  return done.map(({ stageTimestamp }) => new Date(stageTimestamp)).sort((a, b) => a.getTime() - b.getTime());
}

/** What an object is called in the audit log. */
interface Written {
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
}

/** From the last write to one object until the first write after it to another, in milliseconds. */
export async function msBetween(world: World, from: Written, to: Written): Promise<number> {
  const [before, after] = [
    await writesTo(world, from.resource, from.namespace, from.name),
    await writesTo(world, to.resource, to.namespace, to.name),
  ];
  const began = before.at(-1);
  if (began === undefined) throw new Error(`the audit log has no write of ${from.resource} ${from.name}`);
  const ended = after.find((each) => each > began);
  if (ended === undefined)
    throw new Error(
      `the audit log has no write of ${to.resource} ${to.name} after that of ${from.resource} ${from.name}`,
    );
  return ended.getTime() - began.getTime();
}

export function isWrite({ verb }: AuditEvent): boolean {
  return MUTATING.includes(verb);
}

export function isOnLease({ objectRef }: AuditEvent): boolean {
  return objectRef?.resource === 'leases';
}

/** `patch secrets`, `patch clientcertificates/status`: enough to compare and to read. */
export function shortly(event: AuditEvent): string {
  return `${event.verb} ${resourceOf(event)}`;
}

function resourceOf({ objectRef = {} }: AuditEvent): string {
  const { resource = '?', subresource } = objectRef;
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
