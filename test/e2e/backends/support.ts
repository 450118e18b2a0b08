import type { Resource } from '../../../src/api/names.ts';
import * as names from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { requestName } from '../../../src/backends/kubernetes/request-object.ts';
import { nextName, viewNextKey } from '../../../src/certificate/request/next-key.ts';
import { auditEvents } from '../process/support/audit.ts';
import { conditionOf, statusOf } from '../support/objects.ts';
import { eventsOf } from '../support/recorded.ts';
import { eventually, type World } from '../support/world.ts';

/** A name of every kind, and more usages than the default. */
export const OF_EVERY_KIND = {
  dnsNames: ['alice.example.com'],
  uris: ['spiffe://example.com/alice'],
  emailAddresses: ['alice@example.com'],
  ipAddresses: ['192.0.2.7'],
  usages: ['digital signature', 'key encipherment', 'client auth'],
  privateKey: { algorithm: 'RSA' },
};

/** The Secret that keeps the key of a pending certificate. */
export async function nextSecret({ client }: World, namespace: string, name: string): Promise<RawObject | undefined> {
  return client.get(names.SECRETS, namespace, nextName(name));
}

/** Waits until the request of the certificate exists; returns the name of its object. */
export function awaitedRequest(world: World, resource: Resource, namespace: string, name: string, other = '') {
  return eventually(`${namespace}/${name} has asked`, async () => {
    const kept = await nextSecret(world, namespace, name);
    if (kept === undefined) return undefined;
    const request = requestName({ ...viewNextKey(kept), requester: { namespace } });
    const object = request !== other && (await world.client.get(resource, namespace, request));
    const issuing = conditionOf(await statusOf(world, namespace, name), 'Issuing');
    return object && issuing?.message?.includes(request) && request;
  });
}

/** Waits until no Secret and no object of a request is left in this namespace. */
export function untilTidy(world: World, resource: Resource, namespace: string) {
  return eventually(`nothing is left of requests of ${namespace}`, async () => {
    const { items } = await world.client.list(names.SECRETS, { namespace, labelSelector: names.NEXT_OF_LABEL });
    const requests = await requestsFor(world, resource, namespace);
    return items.length === 0 && requests.length === 0;
  });
}

/** Waits for the last write of the first issue, which is the status, or of the first renewal on request, which is its event. */
export async function untilToldOf(world: World, namespace: string, name: string, revision: 1 | 2): Promise<void> {
  await eventually(
    'status has the revision',
    async () => (await statusOf(world, namespace, name)).revision === revision,
  );
  if (revision === 1) return;
  const isTold = async () => (await eventsOf(world, namespace, name)).some(({ reason }) => reason === 'Renewed');
  await eventually('there is an event Renewed', isTold);
}

/** The request objects of ClientCertificates in this namespace. */
export async function requestsFor(world: World, resource: Resource, namespace: string): Promise<RawObject[]> {
  return (await everyRequest(world, resource)).filter((each) => requesterOf(each) === namespace);
}

/** The request objects of every ClientCertificate. */
export async function everyRequest({ client }: World, resource: Resource): Promise<readonly RawObject[]> {
  return (await client.list(resource, { labelSelector: `${names.MANAGED_BY}=certwheel` })).items;
}

/** The namespace of the ClientCertificate behind a request. */
export function requesterOf({ metadata }: RawObject): string | undefined {
  return metadata?.annotations?.[names.CLIENT_CERTIFICATE_ANNOTATION]?.split('/')[0];
}

/** How many such objects were ever created, by the audit log of the API server. */
export async function createdRequests(world: World, { group, plural }: Resource): Promise<number> {
  const events = await auditEvents(world);
  return events.filter(
    ({ verb, stage, objectRef, responseStatus }) =>
      verb === 'create' &&
      stage === 'ResponseComplete' &&
      responseStatus?.code === 201 &&
      objectRef?.apiGroup === group &&
      objectRef.resource === plural &&
      objectRef.subresource === undefined,
  ).length;
}
