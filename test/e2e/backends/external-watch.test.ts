import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { debianLibraries, unpackDebian } from '../../programs/debian.ts';
import { launchController } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { handIn, signByHand } from './csr-clerk.ts';
import { createAuthority, place } from './place.ts';

// A request that has waited for long is polled once a minute; what a person hands in meanwhile is noticed by a watch.

const LONGEST_MS = 10_000;

const worlds = oneWorld();
test.after(worlds.stop);

const scene = lazily(async () => {
  const folder = await unpackDebian('libfaketime');
  const world = await worlds.get();
  // Ahead of the API server, so that each request is old at once.
  launchController(world.cluster.kubeconfigPath, [], {
    LD_PRELOAD: join(debianLibraries(folder).LD_LIBRARY_PATH ?? '', 'faketime/libfaketimeMT.so.1'),
    FAKETIME: '+10m',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  return { world, ca: await makeCa('Offline CA') };
});

function csrOf({ client }: World, namespace: string): Promise<RawObject> {
  return eventually('the CSR of alice', () => client.get(CONFIG_MAPS, namespace, 'alice-csr'));
}

test('an answer to an old request is published at once', async () => {
  const { world, ca } = await scene.get();
  const where = await place(world);
  const { namespace } = where;
  await createAuthority(where, 'external', { trustBundle: { inline: ca.certificate } });
  await create(world, clientCertificate(namespace, 'alice', { duration: '48h' }));
  const object = await csrOf(world, namespace);
  // A change that is no answer takes the poll that the first look at the ConfigMap is good for.
  await handIn(world, object, { note: 'seen' });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const began = performance.now();
  await handIn(world, object, { 'tls.crt': await signByHand(ca, object.data?.['request.csr'] ?? '', 2) });
  await untilReady(world, namespace, 'alice');
  const tookMs = performance.now() - began;
  assert.ok(tookMs < LONGEST_MS, `${tookMs} ms`);
});

test.run();
