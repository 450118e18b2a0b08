/** The bundle of a partner's trust domain in trust targets, from a real endpoint: it rotates, goes away, and comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { casOf, startSpiffeEndpoint } from './spiffe-endpoint.ts';
import {
  ALL_KINDS,
  clusterStatus,
  createClusterAuthority,
  inTeam,
  pemOf,
  readConfigMap,
  untilHeld,
} from './support.ts';

const FLAGS = [...ALL_KINDS, '--allow-loopback-authorities'];
const scene = oneScene({ authority: false, isHome: true, flags: FLAGS });
test.after(scene.stop);

function createWith(world: World, name: string, source: object) {
  return createClusterAuthority(world, name, [], { trust: { sources: [source], targets: [inTeam(name)] } });
}

async function sourceStatus(world: World, authority: string) {
  return (await clusterStatus(world, authority)).trust?.sources?.[0];
}

/** The CA certificates that an object holds, in base64. */
function heldBy(object: RawObject | undefined): readonly string[] {
  return [...pemOf(object).matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)].map(([, text = '']) =>
    text.replaceAll(/\s/g, ''),
  );
}

function untilReason(world: World, authority: string, reason: string | undefined) {
  return eventually(`the source of ${authority} has the reason ${reason}`, async () => {
    const status = await sourceStatus(world, authority);
    return status !== undefined && status.reason === reason && status;
  });
}

for (const profile of ['https_web', 'https_spiffe'] as const)
  test(`${profile}: the CAs of a trust domain are in the targets, and follow its rotation`, async () => {
    const { world } = await scene.get();
    const name = profile.replace('_', '-');
    const namespace = await world.namespace({ team: name });
    const endpoint = await startSpiffeEndpoint(profile);
    await createWith(world, name, await endpoint.source());
    const first = casOf(await endpoint.tell('state'));
    const before = await untilHeld(world, namespace, 2);
    assert.ok(first.every((each) => heldBy(before).includes(each)));
    const both = casOf(await endpoint.tell('prepare'));
    const during = await untilHeld(world, namespace, 3);
    assert.ok(both.every((each) => heldBy(during).includes(each)));
    // The server has a certificate of the new CA, which the bundle of the spec doesn't know.
    await endpoint.tell('activate');
    const last = casOf(await endpoint.tell('retire'));
    const after = await untilHeld(world, namespace, 2);
    assert.equal(
      [first, last].map((list) => list.map((each) => heldBy(after).includes(each))),
      [[false], [true]],
    );
    await eventually('status says so', async () => (await sourceStatus(world, name))?.certificates === 1);
  });

test('while the endpoint is away the CAs stay, also after a restart, in new namespaces and when an object is changed', async () => {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team: 'away' });
  const endpoint = await startSpiffeEndpoint('https_spiffe');
  await createWith(world, 'away', await endpoint.source());
  await untilHeld(world, namespace, 2);
  await endpoint.tell('prepare');
  await untilHeld(world, namespace, 3);
  await endpoint.tell('activate');
  // Now the bundle of the spec no longer verifies the server: only what was kept does.
  const cas = casOf(await endpoint.tell('retire'));
  const stored = await untilHeld(world, namespace, 2);
  await endpoint.tell('away');
  const { message = '' } = await untilReason(world, 'away', 'TrustEndpointUnreachable');
  assert.match(message, 'source partner: https://127.0.0.1');
  const events = await eventually('an event says so', async () => {
    const found = await eventsOf(world, '', 'away');
    return found.some(({ reason }) => reason === 'TrustEndpointUnreachable') && found;
  });
  assert.is(events.filter(({ reason }) => reason === 'TrustEndpointUnreachable').length, 1);

  const { controller } = await scene.get();
  await controller.stop();
  const again = await world.controller([...FLAGS, '--controller-namespace', home]);
  const late = await world.namespace({ team: 'away' });
  const copy = await untilHeld(world, late, 2);
  assert.equal(heldBy(copy), heldBy(stored));
  assert.ok(cas.every((each) => heldBy(copy).includes(each)));
  await untilReason(world, 'away', 'TrustEndpointUnreachable');
  await sleep(QUIET_MS);
  assert.equal(await readConfigMap(world, namespace), stored, 'nothing was written');
  assert.match(await again.metrics(), /certwheel_trust_source_ready\{[^}]*\/away",source="partner"\} 0/);

  await world.client.delete(CONFIG_MAPS, namespace, 'client-ca');
  assert.equal(heldBy(await untilHeld(world, namespace, 2)), heldBy(stored));
  await endpoint.tell('back');
  await endpoint.tell('prepare');
  await untilHeld(world, namespace, 3);
  const status = await untilReason(world, 'away', undefined);
  assert.is(status.certificates, 2);
  assert.match(await again.metrics(), /certwheel_trust_source_ready\{[^}]*\/away",source="partner"\} 1/);
  await again.stop();
});

test('without what was kept, a restart while the endpoint is away writes nothing, so that nothing is lost', async () => {
  const { world, namespace: home } = await scene.get();
  const first = await world.controller([...FLAGS, '--controller-namespace', home]);
  const namespace = await world.namespace({ team: 'lost' });
  const endpoint = await startSpiffeEndpoint('https_web');
  await createWith(world, 'lost', await endpoint.source());
  const stored = await untilHeld(world, namespace, 2);
  await endpoint.tell('away');
  await first.stop();
  await world.client.delete(SECRETS, home, 'lost-clusterca-sources');
  const again = await world.controller([...FLAGS, '--controller-namespace', home]);
  await eventually('the target waits', async () => {
    const { trust } = await clusterStatus(world, 'lost');
    return trust?.targets?.[0]?.waiting?.[0]?.reason === 'TrustEndpointUnreachable';
  });
  await sleep(QUIET_MS);
  assert.equal(await readConfigMap(world, namespace), stored);
  await endpoint.tell('back');
  await untilReason(world, 'lost', undefined);
  assert.equal(await readConfigMap(world, namespace), stored);
  await again.stop();
});

test.run();
