import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS, resourcePath } from '../../../src/api/names.ts';
import { alterObjects } from '../support/admission.ts';
import { clientCertificate, create, createAuthority, selfManaged } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { witness } from '../support/witness.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: whoever may change ConfigMaps of a namespace, or admission there, alters each CSR for a person as soon as it is
// written. Certwheel makes it anew, and must not do so in a loop.

const scene = oneScene({ authority: false });
test.after(scene.stop);

const { certificate } = await makeCa('Offline CA');
const trustBundle = { inline: certificate };
const WATCHED_MS = 8_000;

/** The CSRs of a CA and of a certificate. */
const NAMES = ['ca-ca-request', 'alice-csr'];

async function ask(world: World, namespace: string): Promise<void> {
  await createAuthority(
    world,
    selfManaged(namespace, 'ca', { selfManaged: { commonName: 'CA', externalRoot: { trustBundle } } }),
  );
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'offline' },
    spec: { external: { trustBundle } },
  });
  await create(world, clientCertificate(namespace, 'alice', { authorityRef: { name: 'offline' } }));
}

/** Asks for both certificates; answers how many ConfigMaps of each name there were one after the other: some are gone within milliseconds, so a watch counts. */
async function madeIn(world: World, namespace: string): Promise<number[]> {
  const seen = await witness(world, resourcePath(CONFIG_MAPS, namespace));
  await ask(world, namespace);
  const uidsOf = (name: string) => new Set(seen.versions(name).map(({ object }) => object.metadata?.uid));
  for (const name of NAMES) await eventually(`there was ${name}`, () => uidsOf(name).size > 0);
  await sleep(WATCHED_MS);
  await seen.settled();
  return NAMES.map((name) => uidsOf(name).size);
}

test('the control: a CSR that nobody alters is made once', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  assert.equal(await madeIn(world, namespace), [1, 1]);
  // Once is made good at once.
  for (const name of NAMES) {
    const { metadata } = (await world.client.get(CONFIG_MAPS, namespace, name)) ?? {};
    await world.client.delete(CONFIG_MAPS, namespace, name);
    await eventually(`${name} is made anew`, async () => {
      const found = await world.client.get(CONFIG_MAPS, namespace, name);
      return found !== undefined && found.metadata?.uid !== metadata?.uid;
    });
  }
});

test('a CSR that is altered on its way into the cluster is made anew now and then', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const patch = 'JSONPatch{op: "add", path: "/data/request.csr", value: "mine"}';
  const probe = { metadata: { name: 'probe' }, data: { 'request.csr': 'probe' } };
  const admission = await alterObjects(world, namespace, CONFIG_MAPS, probe, patch);
  for (const made of await madeIn(world, namespace)) assert.ok(made <= 4, `${made}`);
  await admission.lift();
});

test.run();
