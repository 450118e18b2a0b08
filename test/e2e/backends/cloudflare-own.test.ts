import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchAuthority, renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { cloudflareSpec, newToken, putToken, startCloudflare } from './cloudflare-world.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import type { Place } from './subject.ts';

// cloudflare by way of a controller: what was superseded is revoked by what the Secrets list, also by another process.

const FLAGS = ['--allow-loopback-authorities'];
const worlds = oneWorld();
const servers = lazily(() => startCloudflare());
test.after(worlds.stop);

async function authorityWith(spec: object): Promise<Place> {
  const [world, cloudflare] = [await worlds.get(), await servers.get()];
  const where = await place(world);
  await putToken(where, newToken(cloudflare.fake));
  await createAuthority(where, 'cloudflare', cloudflareSpec(cloudflare, { ...spec }));
  await untilAuthority(where);
  return where;
}

/** Any change of the resource has the authority looked at. */
function lookAgain({ world, namespace }: Place): Promise<unknown> {
  const annotations = { 'example.com/touched': new Date().toISOString() };
  return patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
}

test('after a renewal the former certificate is revoked, by the controller that comes after a crash, and the present one is not', async () => {
  const [world, { fake }] = [await worlds.get(), await servers.get()];
  const first = await world.controller(FLAGS);
  const where = await authorityWith({ revokeAfter: '1s' });
  const { namespace } = where;
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const former = await untilRevision(world, namespace, 'alice-tls', 1);
  await renewAt(world, namespace, 'alice', new Date().toISOString());
  const present = await untilRevision(world, namespace, 'alice-tls', 2);
  await first.kill();
  const second = await world.controller(FLAGS);
  const stateOf = ({ leaf }: typeof former) =>
    fake.zone.issued.find((each) => each.serial_number === leaf.serialNumber.padStart(each.serial_number.length, '0'))
      ?.status;
  await eventually('the former certificate is revoked', async () => {
    await lookAgain(where);
    return stateOf(former) === 'pending_revocation';
  });
  await lookAgain(where);
  await untilAuthority(where, { says: 'certificates are in use' });
  assert.is(stateOf(present), 'active');
  // The first controller may have been killed before it wrote the status.
  await eventually('the status says so', async () => (await statusOf(world, namespace, 'alice')).revision === 2);
  await second.stop();
});

test('a crash between the create and the publication costs no second certificate', async () => {
  const [world, { fake }] = [await worlds.get(), await servers.get()];
  const where = await authorityWithController();
  const { namespace } = where.place;
  const before = fake.zone.issued.length;
  where.proxy.meddle(async ({ method }, pass) => {
    const answer = await pass();
    return method === 'POST' ? undefined : answer;
  });
  await create(world, clientCertificate(namespace, 'bob'));
  await eventually('it is created over there', () => fake.zone.issued.length > before);
  await where.controller.kill();
  where.proxy.meddle(undefined);
  const next = await world.controller(FLAGS);
  await untilReady(world, namespace, 'bob');
  assert.is(fake.zone.issued.length, before + 1);
  await next.stop();
});

async function authorityWithController() {
  const world = await worlds.get();
  const { fake } = await servers.get();
  const proxy = await startMeddler({ url: fake.origin, ca: fake.ca }, fake.tls);
  const controller = await world.controller(FLAGS);
  return { controller, proxy, place: await authorityWith({ server: `${proxy.url}/client/v4` }) };
}

test.run();
