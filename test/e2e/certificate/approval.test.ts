import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_APPROVALS } from '../../../src/api/names.ts';
import { decide, inHours } from '../support/approvals.ts';
import { patchCertificate, renewAt } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const rules = [{ name: 'seen', commonNames: ['*'], approval: 'Required' }];
const scene = oneScene({ flags: ['--approvals'], authority: { issuancePolicy: { rules } } });
test.after(scene.stop);

const waiting = { status: 'False', reason: 'ApprovalPending' };

test('a request waits for its approval, and its renewals need no other', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'alice'));
  const status = await untilReady(world, namespace, 'alice', waiting);
  assert.match(
    conditionOf(status, 'Ready')?.message ?? '',
    'rule seen of CertificateAuthority/ca issues only what was',
  );
  assert.is(signatures(controller, namespace, 'alice'), 0);
  await decide(world, namespace, 'alice');
  await untilReady(world, namespace, 'alice');
  await renewAt(world, namespace, 'alice');
  await eventually('it is renewed', async () => (await statusOf(world, namespace, 'alice')).revision === 2);
});

test('another request of the same ClientCertificate waits for another approval', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob', waiting);
  await decide(world, namespace, 'bob');
  await untilReady(world, namespace, 'bob');
  await patchCertificate(world, namespace, 'bob', { spec: { commonName: 'mallory' } });
  await untilReady(world, namespace, 'bob', { type: 'Issuing', reason: 'ApprovalPending' });
  assert.is(signatures(controller, namespace, 'bob'), 1);
  await decide(world, namespace, 'bob');
  await eventually('it is issued', async () => (await statusOf(world, namespace, 'bob')).revision === 2);
});

test('a denial says who denied and why, and a later decision counts', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'carol'));
  await untilReady(world, namespace, 'carol', waiting);
  await decide(world, namespace, 'carol', { decision: 'Denied', reason: 'carol has left' });
  const status = await untilReady(world, namespace, 'carol', { status: 'False', reason: 'ApprovalDenied' });
  assert.match(conditionOf(status, 'Ready')?.message ?? '', /alice denied .*"carol has left"/);
  // Times of creation are in whole seconds.
  await eventually('a second has passed', async () => {
    await decide(world, namespace, 'carol');
    return conditionOf(await statusOf(world, namespace, 'carol'), 'Ready')?.status === 'True';
  });
});

test('an approval that has ended, or was deleted, allows no renewal, and the Secret stays', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const name of ['dave', 'erin']) {
    await create(world, clientCertificate(namespace, name));
    await untilReady(world, namespace, name, waiting);
  }
  await decide(world, namespace, 'dave', { validUntil: inHours(5 / 3_600) });
  const approval = await decide(world, namespace, 'erin');
  for (const name of ['dave', 'erin']) await untilReady(world, namespace, name);
  await world.client.delete(CERTIFICATE_APPROVALS, namespace, approval.metadata?.name ?? '');
  await eventually('the approval of dave has ended', async () => {
    await renewAt(world, namespace, 'dave');
    return conditionOf(await statusOf(world, namespace, 'dave'), 'Issuing')?.reason === 'ApprovalPending';
  });
  await renewAt(world, namespace, 'erin');
  await untilReady(world, namespace, 'erin', { type: 'Issuing', reason: 'ApprovalPending' });
  const before = signatures(controller, namespace, 'dave') + signatures(controller, namespace, 'erin');
  for (const name of ['dave', 'erin'])
    assert.is(conditionOf(await statusOf(world, namespace, name), 'Ready')?.status, 'True');
  assert.is(signatures(controller, namespace, 'dave') + signatures(controller, namespace, 'erin'), before);
});

test.run();
