import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Resource, resourcePath } from '../../../src/api/names.ts';
import { requestName } from '../../../src/backends/kubernetes/request-object.ts';
import { viewNextKey } from '../../../src/certificate/request/next-key.ts';
import { patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import { decide, type Verdict, WORDS } from './approver.ts';
import { readyAuthority } from './place.ts';
import type { Place, Shared, Subject } from './subject.ts';
import { awaitedRequest, nextSecret, requesterOf, requestsFor, untilTidy } from './support.ts';

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
  test(`${type}: it answers ${capabilities.persistKey ? 'later, and the suite can hold its answers back' : 'at once'}`, async () => {
    assert.is(exempt['requests that are answered later'] === undefined, capabilities.persistKey);
    assert.is((await shared()).served.later !== undefined, capabilities.persistKey);
  });
  if (!capabilities.persistKey) return;

  test(`${type}: a request waits, says for what, and is over once it is approved`, async () => {
    const { where, asked, decide, later } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const name = await asked('alice');
    const waiting = await statusOf(world, namespace, 'alice');
    assert.is(conditionOf(waiting, 'Ready')?.status, 'False');
    assert.is(conditionOf(waiting, 'Issuing')?.reason, 'Pending');
    assert.match(conditionOf(waiting, 'Issuing')?.message ?? '', later.remedy(where, name));
    assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
    await decide(name, 'Approved');
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
    const name = await asked('alice');
    const [object] = await requestsFor(world, later.resource, namespace);
    const kept = (await keptFor(where, 'alice'))?.key;
    assert.ok(kept);
    await crash();
    await sleep(QUIET_MS);
    assert.is(await asked('alice'), name);
    const uids = (await requestsFor(world, later.resource, namespace)).map(({ metadata }) => metadata?.uid);
    assert.equal(uids, [object?.metadata?.uid]);
    assert.is(conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.status, 'True');
    assert.is((await readSecret(world, namespace, 'alice-tls'))?.chain, before.chain);
    await decide(name, 'Approved');
    const renewed = await untilRevision(world, namespace, 'alice-tls', 2, RESUMED_WITHIN_MS);
    assert.ok(renewed.leaf.publicKey.equals(kept));
    await opensslAccepts(renewed.object);
    await untilTidy(world, later.resource, namespace);
    assert.is((await untilReady(world, namespace, 'alice')).revision, 2);
  });

  test(`${type}: crashes right after the key was kept: each request is made as it was meant, and once`, async () => {
    const { where, asked, decide, later, requests } = await held();
    const { world, namespace } = where;
    const names = ['one', 'two', 'three'];
    for (const [index, name] of names.entries()) {
      await create(world, clientCertificate(namespace, name));
      const kept = await eventually(`the key of ${name} is kept`, () => keptFor(where, name));
      // Sometimes before the request is made, sometimes after, sometimes in the middle of it.
      await sleep(index * 10);
      await crash();
      assert.is(await asked(name), requestName({ id: kept.id, requester: { namespace } }));
      assert.ok((await keptFor(where, name))?.key?.equals(kept.key));
    }
    const made = await requests();
    assert.is(made.length, names.length);
    for (const name of made) await decide(name, 'Approved');
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
      await Promise.all((await requests()).map((name) => decide(name, 'Approved')));
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

  test(`${type}: a request that somebody removes is made anew, with another key`, async () => {
    const { where, asked, decide, later } = await held();
    const { world, namespace } = where;
    await create(world, clientCertificate(namespace, 'alice'));
    const first = await asked('alice');
    const before = await keptFor(where, 'alice');
    await world.client.delete(later.resource, later.resource.namespaced ? namespace : undefined, first);
    const second = await asked('alice', first);
    const kept = await keptFor(where, 'alice');
    assert.ok(before && kept && !before.key.equals(kept.key));
    await decide(second, 'Approved');
    await untilReady(world, namespace, 'alice');
    assert.ok((await readSecret(world, namespace, 'alice-tls'))?.leaf.publicKey.equals(kept.key));
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
    assert.ok(told.includes(`${first} was denied`) && told.includes(WORDS), told);
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
    await eventually('the former is gone', async () => `${await requests()}` === second);
    await world.cluster.kubectl(['delete', 'ccert', 'alice', '-n', namespace]);
    await untilTidy(world, later.resource, namespace);
  });

  /** An authority whose requests nobody decides on but the test. */
  async function held() {
    const here = await shared();
    const { later } = here.served;
    if (later === undefined) throw new Error(`${type} answers later, and the suite can't hold that back`);
    const where = await readyAuthority(here, subject);
    const { world, namespace } = where;
    later.approver.leave(namespace);
    return {
      where,
      later,
      asked: (name: string, other?: string) => awaitedRequest(world, later.resource, namespace, name, other),
      requests: async () =>
        (await requestsFor(world, later.resource, namespace)).map(({ metadata }) => metadata?.name ?? ''),
      decide: (name: string, verdict: Verdict) => decideOn(where, later.resource, name, verdict),
    };
  }
}

async function decideOn(
  { world, namespace }: Place,
  resource: Resource,
  name: string,
  verdict: Verdict,
): Promise<void> {
  const request = await world.client.get(resource, resource.namespaced ? namespace : undefined, name);
  if (request === undefined) throw new Error(`there is no request ${name}`);
  await decide(world, resource, request, verdict);
}

/** The id under which a key is kept for a certificate that is awaited, and its public half. */
async function keptFor({ world, namespace }: Place, name: string) {
  const object = await nextSecret(world, namespace, name);
  if (object === undefined) return undefined;
  const pem = Buffer.from(object.data?.['tls.key'] ?? '', 'base64').toString();
  return { id: viewNextKey(object).id, key: createPublicKey(createPrivateKey(pem)) };
}
