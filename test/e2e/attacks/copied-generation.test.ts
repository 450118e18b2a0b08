import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { fingerprintIn, untilForeign, untilNoneForeign, untilWarned } from '../authority/foreign.ts';
import { watchSecrets } from '../authority/history.ts';
import { generationSecrets } from '../authority/swap.ts';
import { deleteSecret, patchSecret, renewAt, restoreSecret, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import {
  authorityStatusOf,
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

// The attack: a replicator copies Secrets with their labels and annotations into other namespaces, among them that of a CA
// generation. An authority of the same name there uses a CA that isn't its own.

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '1s'] }, async ({ world }) => ({
  theirs: await theirGeneration(world),
}));
test.after(scene.stop);

/** The Secret of generation 2 of an authority `ca` in another namespace, whose first one was deleted. */
async function theirGeneration(world: World): Promise<RawObject> {
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Theirs' } }));
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
  await deleteSecret(world, namespace, 'ca-ca-v1');
  // The control: there it signs.
  await eventually('their second CA signs', async () => {
    const secret = await readSecret(world, namespace, 'client-tls');
    return secret?.leaf.issuer === 'CN=Theirs v2';
  });
  const found = await world.client.get(SECRETS, namespace, 'ca-ca-v2');
  assert.ok(found);
  return found;
}

/** An authority `ca` with one certificate, and all that its Secrets hold from now on. */
async function ours(world: World) {
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Ours' } }));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  return { namespace, history: await watchSecrets(world, namespace, ({ subject }) => subject) };
}

/** The copier writes its copy again: it does so at its start and at each change of the original. */
async function copyAgain(world: World, namespace: string, { metadata }: RawObject): Promise<void> {
  const { labels, annotations } = metadata ?? {};
  await patchSecret(world, namespace, 'ca-ca-v2', { metadata: { labels, annotations } });
}

async function renew(world: World, namespace: string): Promise<void> {
  const { annotations = {} } = (await readSecret(world, namespace, 'alice-tls')) ?? {};
  await renewAt(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', Number(annotations['certwheel.io/revision']) + 1);
}

test('a copied generation of another CA signs nothing, is in no ca.crt, and is reported', async () => {
  const { world, theirs } = await scene.get();
  const { namespace, history } = await ours(world);
  await restoreSecret(world, namespace, theirs);
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob');
  await copyAgain(world, namespace, theirs);
  await renew(world, namespace);
  await eventually('the history knows both', () => new Set(history.states.map(({ name }) => name)).size === 2);
  for (const { issuer, trusted } of history.states) assert.equal([issuer, trusted], ['CN=Ours v1', ['CN=Ours v1']]);
  const message = await untilForeign(world, namespace, 'ca-ca-v2');
  assert.match(message, `SHA-256 ${fingerprintIn(theirs)}`);
  await untilWarned(world, namespace, fingerprintIn(theirs));

  // The copy has the name of the next generation; the new CA gets the name after it.
  await deleteSecret(world, namespace, 'ca-ca-v1');
  await eventually('the next CA signs', async () => {
    const secret = await readSecret(world, namespace, 'alice-tls');
    return secret?.leaf.issuer === 'CN=Ours v3';
  });
  await deleteSecret(world, namespace, 'ca-ca-v2');
  await untilNoneForeign(world, namespace);
  await history.stop();
  for (const { issuer, trusted } of history.states)
    assert.not.ok([issuer, ...trusted].includes('CN=Theirs v2'), `${issuer}, ${trusted}`);
});

test('an authority that is created beside such a copy gets a CA of its own', async () => {
  const { world, theirs } = await scene.get();
  const namespace = await world.namespace();
  await restoreSecret(world, namespace, theirs);
  await createAuthority(world, selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Ours' } }));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const secret = await readSecret(world, namespace, 'alice-tls');
  assert.is(secret?.leaf.issuer, 'CN=Ours v1');
  await untilForeign(world, namespace, 'ca-ca-v2');
});

test('a copier that overwrites the annotations of a generation neither replaces the CA nor re-issues anything', async () => {
  const { world, theirs } = await scene.get();
  const { namespace, history } = await ours(world);
  const { annotations } = theirs.metadata ?? {};
  await patchSecret(world, namespace, 'ca-ca-v1', { metadata: { annotations } });
  await eventually('its mark is back', async () => {
    const [kept] = await generationSecrets(world, namespace);
    return kept?.metadata?.annotations?.['certwheel.io/generation-uids'] === kept?.metadata?.uid;
  });
  await sleep(QUIET_MS);
  await history.stop();
  assert.is(new Set(history.states.map(({ secret }) => secret.leaf.serialNumber)).size, 1);
  const { generations } = await authorityStatusOf(world, namespace, 'ca');
  assert.equal(
    generations?.map(({ version, state }) => [version, state]),
    [[1, 'Active']],
  );
});

test.run();
