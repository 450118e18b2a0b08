/**
 * https://github.com/spiffe/spire/issues/480: an entry that was deleted stays in the cache of the agent, which goes on
 * renewing and handing out its identity.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { QUICK } from '../process/support/fleet.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules, setRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

/** In which a certificate of a minute is renewed. */
const DUE_MS = 12_000;
const ID = 'spiffe://example.com/host/test';
const entry = (uri: string) => [{ name: 'entry', namespaces: { all: true }, commonNames: ['*'], uris: [uri] }];

test('a certificate whose rule is removed, changed or gone with its authority is not renewed, nor after a restart', async () => {
  const { world, controller, namespace } = await scene.get();
  const names = ['removed', 'changed', 'deleted', 'kept'].map((each) => `${namespace}-${each}`);
  const [removed = '', changed = '', deleted = '', kept = ''] = names;
  for (const name of names) {
    const authorityRef = await authorityWithRules(world, name, entry(ID));
    await create(world, clientCertificate(namespace, name, { ...QUICK, authorityRef, uris: [ID] }));
    await untilReady(world, namespace, name);
  }
  await setRules(world, removed, []);
  await setRules(world, changed, entry(`${ID}/other`));
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, deleted);
  for (const name of [removed, changed])
    await untilReady(world, namespace, name, { type: 'Stalled', reason: 'DeniedByPolicy' });
  const before = names.map((name) => signatures(controller, namespace, name));
  await sleep(DUE_MS);
  const after = names.map((name) => signatures(controller, namespace, name));
  assert.equal(after.slice(0, 3), before.slice(0, 3));
  assert.ok((after[3] ?? 0) > (before[3] ?? 0), 'the control is renewed');
  await controller.stop();
  const restarted = await world.controller(['--controller-namespace', namespace]);
  const { revision = 0 } = await statusOf(world, namespace, kept);
  await eventually(
    'the control is renewed',
    async () => ((await statusOf(world, namespace, kept)).revision ?? 0) > revision,
  );
  for (const name of [removed, changed, deleted]) assert.is(signatures(restarted, namespace, name), 0);
  const { conditions = [] } = await statusOf(world, namespace, deleted);
  assert.is(conditionOf({ conditions }, 'Issuing')?.reason, 'AuthorityNotFound');
});

test.run();
