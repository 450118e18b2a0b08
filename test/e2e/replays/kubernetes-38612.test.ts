/**
 * https://github.com/kubernetes/kubernetes/issues/38612: controllers go on making objects in a namespace that is being deleted,
 * are refused each time, and try again without end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, CONFIG_MAPS, NAMESPACES } from '../../../src/api/names.ts';
import { writesTo } from '../process/support/audit.ts';
import { decide } from '../support/approvals.ts';
import { patch } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

/** No controller empties the namespace, so it ends for as long as the test wants. */
const scene = oneScene({ authority: false, isHome: true, flags: ['--approvals'] });
test.after(scene.stop);

const RULES = [{ name: 'seen', namespaces: { all: true }, commonNames: ['*'], approval: 'Required' }];
const WATCHED_MS = 15_000;

test('an approval in a namespace that ends brings one signature at most, and few attempts', async () => {
  const { world, controller, namespace: home } = await scene.get();
  const authorityRef = await authorityWithRules(world, home, RULES);
  const namespace = await world.namespace();
  await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, namespace, 'client', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'client');
  await untilReady(world, namespace, 'client');
  await create(world, clientCertificate(namespace, 'late', { authorityRef }));
  await untilReady(world, namespace, 'late', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'late', { decision: 'Denied' });
  await untilReady(world, namespace, 'late', { status: 'False', reason: 'ApprovalDenied' });
  await world.client.create(CONFIG_MAPS, { metadata: { namespace, name: 'held', finalizers: ['example.com/hold'] } });
  await world.client.delete(NAMESPACES, undefined, namespace);
  await eventually('it ends', async () => {
    const found = await world.client.get(NAMESPACES, undefined, namespace);
    return (found?.status as { phase?: string } | undefined)?.phase === 'Terminating';
  });
  // A change of the spec there, which is admitted, needs another approval, and none can be created.
  await patch(world, CLIENT_CERTIFICATES, namespace, 'client', { spec: { commonName: 'other' } });
  await untilReady(world, namespace, 'client', { type: 'Issuing', reason: 'ApprovalPending' });
  const refused = await decide(world, namespace, 'client').then(
    () => '',
    (error: Error) => error.message,
  );
  assert.match(refused, 'being terminated');
  await sleep(WATCHED_MS);
  assert.is(signatures(controller, namespace, 'client'), 1);
  assert.is(signatures(controller, namespace, 'late'), 0);
  assert.is(await readSecret(world, namespace, 'late-tls'), undefined);
  const writes = await writesTo(world, 'clientcertificates/status', namespace, 'client');
  assert.ok(writes.length <= 6, `${writes.length} writes of the status`);
});

test.run();
