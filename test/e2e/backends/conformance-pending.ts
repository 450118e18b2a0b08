import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcePath } from '../../../src/api/names.ts';
import { requestName } from '../../../src/backends/kubernetes/request-object.ts';
import { viewNextKey } from '../../../src/certificate/request/next-key.ts';
import { patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import { decide, type Verdict, WORDS } from './approver.ts';
import { readyAuthority } from './place.ts';
import type { Later, Place, Shared, Subject } from './subject.ts';
import { nextSecret, requesterOf, requestsFor, untilTidy } from './support.ts';

/** For so long nothing happens that shouldn't. */
const QUIET_MS = 3_000;
/** How often two controllers are to meet. */
const RACES = 20;
/** Who comes anew fills caches first, and asks again no sooner than the request is old enough. */
const RESUMED_WITHIN_MS = 45_000;

/**
 * Registers the tests of authorities that answer later: here, when the test approves. `crash` kills the controller at
 * once, and starts another.
 */
export function registerPending(subject: Subject, shared: () => Promise<Shared>, crash: () => Promise<void>): void {
  const { type, capabilities, exempt } = subject;
  // One that answers at once may need the key kept all the same, to find a lost answer by it.
  const isAsked = exempt['requests that are answered later'] === undefined;
  test(`${type}: ${isAsked ? 'it answers later, and the suite can hold its answers back' : 'the suite holds back none of its answers'}`, async () => {
    if (isAsked) assert.ok(capabilities.persistKey);
    assert.is((await shared()).served.later !== undefined, isAsked);
  });
  if (!isAsked) return;

  test(`${type}: a request waits, says for what, and is over once it is approved`, async () => {
    const { where, asked, decide, later } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const request = await asked('alice');
    const waiting = await statusOf(world, namespace, 'alice');
    assert.is(conditionOf(waiting, 'Ready')?.status, 'False');
    assert.is(conditionOf(waiting, 'Issuing')?.reason, 'Pending');
    assert.match(conditionOf(waiting, 'Issuing')?.message ?? '', later.remedy(where, request.name));
    assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
    await decide(request, 'Approved');
    assert.is(conditionOf(await untilReady(world, namespace, 'alice'), 'Issuing'), undefined);
    await untilTidy(world, later.resource, namespace);
  });

  test(`${type}: a crash while it waits: the same request goes on, and its certificate is for the key that was kept`, async () => {
    const { where, asked, decide, later } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    await decide(await asked('alice'), 'Approved');
    const before = await untilRevision(world, namespace, 'alice-tls', 1);
    await untilTidy(world, later.resource, namespace);
    await renewAt(world, namespace, 'alice');
    const request = await asked('alice');
    const [object] = await requestsFor(world, later.resource, namespace);
    const kept = (await keptFor(where, 'alice'))?.key;
    assert.ok(kept);
    await crash();
    await sleep(QUIET_MS);
    assert.equal(await asked('alice'), request);
    const uids = (await requestsFor(world, later.resource, namespace)).map(({ metadata }) => metadata?.uid);
    assert.equal(uids, [object?.metadata?.uid]);
    assert.is(conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.status, 'True');
    assert.is((await readSecret(world, namespace, 'alice-tls'))?.chain, before.chain);
    await decide(request, 'Approved');
    const renewed = await untilRevision(world, namespace, 'alice-tls', 2, RESUMED_WITHIN_MS);
    assert.ok(renewed.leaf.publicKey.equals(kept));
    await opensslAccepts(renewed.object);
    await untilTidy(world, later.resource, namespace);
    assert.is((await untilReady(world, namespace, 'alice')).revision, 2);
  });

  test(`${type}: crashes right after the key was kept: each request is made as it was meant, and once`, async () => {
    const { where, asked, decide, later, requests, nameOf } = await held();
    const { world, namespace } = where;
    const names = ['one', 'two', 'three'];
    for (const [index, name] of names.entries()) {
      await create(world, clientCertificate(namespace, name));
      const kept = await eventually(`the key of ${name} is kept`, () => keptFor(where, name));
      // Sometimes before the request is made, sometimes after, sometimes in the middle of it.
      await sleep(index * 10);
      await crash();
      assert.is((await asked(name)).name, nameOf(name, kept.id));
      assert.ok((await keptFor(where, name))?.key?.equals(kept.key));
    }
    const made = await requests();
    assert.is(made.length, names.length);
    for (const each of made) await decide(each, 'Approved');
    for (const name of names) await untilReady(world, namespace, name, {}, RESUMED_WITHIN_MS);
    await untilTidy(world, later.resource, namespace);
  });

  test(`${type}: two controllers at once make one request for each, and one certificate`, async () => {
    const { where, asked, decide, later, requests } = await held();
    const { world, namespace } = where;
    const other = await world.controller(['--allow-loopback-authorities']);
    const book = await witness(world, resourcePath(later.resource));
    try {
      const names = Array.from({ length: RACES }, (_, index) => `client-${index}`);
      await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name))));
      for (const name of names) await asked(name);
      await Promise.all((await requests()).map((each) => decide(each, 'Approved')));
      for (const name of names) await untilReady(world, namespace, name, {}, RESUMED_WITHIN_MS);
      await untilTidy(world, later.resource, namespace);
      await sleep(QUIET_MS);
      await book.settled();
      const versions = book.all().filter(({ object }) => requesterOf(object) === namespace);
      assert.is(new Set(versions.map(({ object }) => object.metadata?.uid)).size, names.length);
      for (const name of names) assert.is((await statusOf(world, namespace, name)).revision, 1, name);
    } finally {
      book.stop();
      await other.stop();
    }
  });

  test(`${type}: a request that somebody removes is made anew${subject.keepsRemovedRequests ? '' : ', with another key'}`, async () => {
    const { where, asked, decide, later } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const first = await asked('alice');
    const before = await keptFor(where, 'alice');
    await world.client.delete(later.resource, later.resource.namespaced ? namespace : undefined, first.name);
    const second = await asked('alice', first);
    const kept = await keptFor(where, 'alice');
    assert.is(before && kept?.key.equals(before.key), subject.keepsRemovedRequests ?? false);
    await decide(second, 'Approved');
    await untilReady(world, namespace, 'alice');
    assert.ok(kept && (await readSecret(world, namespace, 'alice-tls'))?.leaf.publicKey.equals(kept.key));
    await untilTidy(world, later.resource, namespace);
  });

  test(`${type}: no is final, whoever is started anew, until something else is asked for`, async () => {
    const { where, asked, decide, later, requests } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const first = await asked('alice');
    await decide(first, 'Denied');
    const denied = await untilReady(world, namespace, 'alice', { type: 'Stalled', reason: 'RequestDenied' });
    const told = conditionOf(denied, 'Stalled')?.message ?? '';
    assert.ok(told.includes(`${first.name} was denied`) && told.includes(WORDS), told);
    assert.is(denied.nextAttemptTime, undefined);
    await crash();
    await sleep(QUIET_MS);
    assert.equal(await requests(), []);
    assert.is((await nextSecret(world, namespace, 'alice'))?.data?.['tls.key'], '');
    await patchCertificate(world, namespace, 'alice', { spec: { commonName: 'someone-else' } });
    await decide(await asked('alice', first), 'Approved');
    await untilReady(world, namespace, 'alice');
    await untilTidy(world, later.resource, namespace);
  });

  test(`${type}: another spec takes back what is under way, and a deletion all of it`, async () => {
    const { where, asked, later, requests } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const first = await asked('alice');
    await patchCertificate(world, namespace, 'alice', { spec: { duration: '2h' } });
    const second = await asked('alice', first);
    await eventually('the former is gone', async () => `${(await requests()).map(({ uid }) => uid)}` === second.uid);
    await world.cluster.kubectl(['delete', 'ccert', 'alice', '-n', namespace]);
    await untilTidy(world, later.resource, namespace);
  });

  /** An authority whose requests nobody decides on but the test. */
  async function held() {
    const here = await shared();
    const { later } = here.served;
    if (later === undefined) throw new Error(`${type} answers later, and the suite can't hold that back`);
    const where = await readyAuthority(here, subject);
    later.approver.leave(where.namespace);
    return { where, later, ...requestsAt(where, later) };
  }
}

/** The object of a request. */
interface Request {
  readonly name: string;
  readonly uid: string;
}

/** What an authority that answers later is asked for, and the answers to it. */
export function requestsAt(where: Place, later: Later) {
  const { world, namespace } = where;
  const { resource } = later;
  const nameOf = (name: string, id: string) => later.nameOf?.(name) ?? requestName({ id, requester: { namespace } });
  return {
    nameOf,
    /** Waits until the request of the certificate exists, and is another one. */
    asked: (name: string, other?: Request) =>
      eventually(`${namespace}/${name} has asked`, async (): Promise<Request | undefined> => {
        const kept = await nextSecret(world, namespace, name);
        if (kept === undefined) return undefined;
        const request = nameOf(name, viewNextKey(kept).id);
        const object = await world.client.get(resource, resource.namespaced ? namespace : undefined, request);
        const issuing = conditionOf(await statusOf(world, namespace, name), 'Issuing');
        const uid = object?.metadata?.uid;
        if (uid === undefined || uid === other?.uid || !issuing?.message?.includes(request)) return undefined;
        return { name: request, uid };
      }),
    requests: async () =>
      (await requestsFor(world, resource, namespace)).map(
        ({ metadata }): Request => ({ name: metadata?.name ?? '', uid: metadata?.uid ?? '' }),
      ),
    decide: (request: Request, verdict: Verdict) => decideOn(where, later, request, verdict),
  };
}

async function decideOn(
  { world, namespace }: Place,
  { resource, decide: decideBy = decide }: Later,
  { name }: Request,
  verdict: Verdict,
): Promise<void> {
  const request = await world.client.get(resource, resource.namespaced ? namespace : undefined, name);
  if (request === undefined) throw new Error(`there is no request ${name}`);
  await decideBy(world, resource, request, verdict);
}

/** The id under which a key is kept for a certificate that is awaited, and its public half. */
async function keptFor({ world, namespace }: Place, name: string) {
  const object = await nextSecret(world, namespace, name);
  if (object === undefined) return undefined;
  const pem = Buffer.from(object.data?.['tls.key'] ?? '', 'base64').toString();
  return { id: viewNextKey(object).id, key: createPublicKey(createPrivateKey(pem)) };
}
