import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_APPROVALS, CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { alterObjects } from '../support/admission.ts';
import { decide, inHours } from '../support/approvals.ts';
import { patch, patchCertificate, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { usedUp } from '../support/quota.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// Rules and approvals while other programs are in the way: a quota, admission that alters objects, and finalizers.

const AUTHORITY = 'disturbed';
const authorityRef = { kind: 'ClusterCertificateAuthority', name: AUTHORITY };
const all = { all: true };
const RULES = [
  { name: 'own', namespaces: all, commonNames: ['{namespace}.*'] },
  { name: 'one', namespaces: all, commonNames: ['one-*'], maxCertificates: 1 },
  { name: 'seen', namespaces: all, commonNames: ['seen-*'], approval: 'Required' },
];
const HELD = { metadata: { finalizers: ['example.com/hold'] } };
const FREE = { metadata: { finalizers: null } };

const scene = oneScene({ authority: false, isHome: true, flags: ['--approvals'] }, async ({ world }) => {
  await authorityWithRules(world, AUTHORITY, RULES);
  return {};
});
test.after(scene.stop);

const ask = async (namespace: string, name: string, spec: object = {}) =>
  create((await scene.get()).world, clientCertificate(namespace, name, { authorityRef, ...spec }));

/** What was signed for it, after a while in which more could have been. */
async function signed(namespace: string, name: string): Promise<number> {
  await sleep(QUIET_MS);
  return signatures((await scene.get()).controller, namespace, name);
}

/** No room for one more object of that kind. */
const full = async (namespace: string, kind: string) =>
  usedUp((await scene.get()).world, namespace, 'full', { [`count/${kind}`]: '0' });

for (const [sentence, end, reason] of [
  ['its approval is deleted', 'delete', 'ApprovalPending'],
  ['it is denied', 'deny', 'ApprovalDenied'],
] as const)
  test(`a certificate that a full quota kept from being published is not published when ${sentence} meanwhile`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    const empty = await full(namespace, 'secrets');
    await ask(namespace, 'seen-a');
    await untilReady(world, namespace, 'seen-a', { status: 'False', reason: 'ApprovalPending' });
    const approval = await decide(world, namespace, 'seen-a');
    await untilReady(world, namespace, 'seen-a', { status: 'False', reason: 'SecretRefused' });
    if (end === 'delete') await world.client.delete(CERTIFICATE_APPROVALS, namespace, approval.metadata?.name ?? '');
    else await decide(world, namespace, 'seen-a', { decision: 'Denied' });
    await untilReady(world, namespace, 'seen-a', { status: 'False', reason });
    await empty();
    assert.is(await signed(namespace, 'seen-a'), 1);
    assert.is(await readSecret(world, namespace, 'seen-a-tls'), undefined);
    // The control: it is the decision that keeps it, and what was made before it is not used.
    await eventually('a later approval counts', async () => {
      await decide(world, namespace, 'seen-a');
      return conditionOf(await statusOf(world, namespace, 'seen-a'), 'Ready')?.status === 'True';
    });
    assert.is(await signed(namespace, 'seen-a'), 2);
  });

test('where a quota leaves no room for an approval, the request waits, and the approver gets the error of the quota', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const empty = await full(namespace, 'certificateapprovals.certwheel.io');
  await ask(namespace, 'seen-b');
  await untilReady(world, namespace, 'seen-b', { status: 'False', reason: 'ApprovalPending' });
  const refused = await decide(world, namespace, 'seen-b').then(
    () => '',
    (error: Error) => error.message,
  );
  assert.match(refused, 'exceeded quota: full');
  await empty();
  await eventually('there is room', () =>
    decide(world, namespace, 'seen-b').then(
      () => true,
      () => false,
    ),
  );
  await untilReady(world, namespace, 'seen-b');
});

const NAME_PATCH = 'JSONPatch{op: "replace", path: "/spec/commonName", value: "victim.admin"}';

test('names that admission has changed are judged as they are stored', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const probe = {
    metadata: { name: 'probe' },
    spec: { authorityRef, secretName: 'probe', commonName: `${namespace}.probe` },
  };
  const admission = await alterObjects(world, namespace, CLIENT_CERTIFICATES, probe, NAME_PATCH);
  await ask(namespace, 'web', { commonName: `${namespace}.web` });
  const status = await untilReady(world, namespace, 'web', { status: 'False', reason: 'DeniedByPolicy' });
  assert.match(conditionOf(status, 'Ready')?.message ?? '', 'does not allow "victim.admin" in commonNames');
  assert.is(await signed(namespace, 'web'), 0);
  await admission.lift();
  await patchCertificate(world, namespace, 'web', { spec: { commonName: `${namespace}.web` } });
  await untilReady(world, namespace, 'web');
});

test('names that admission changes after they were approved need another approval', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await ask(namespace, 'seen-c');
  await untilReady(world, namespace, 'seen-c', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'seen-c');
  const { serialNumber } = await untilReady(world, namespace, 'seen-c');
  const probe = { metadata: { name: 'probe' }, spec: { authorityRef, secretName: 'probe', commonName: 'seen-probe' } };
  const other = NAME_PATCH.replace('victim.admin', 'seen-other');
  const admission = await alterObjects(world, namespace, CLIENT_CERTIFICATES, probe, other);
  // Any update of it is altered.
  await renewAt(world, namespace, 'seen-c');
  const status = await untilReady(world, namespace, 'seen-c', { type: 'Issuing', reason: 'ApprovalPending' });
  assert.equal([status.serialNumber, await signed(namespace, 'seen-c')], [serialNumber, 1]);
  await admission.lift();
});

test('an approval that admission has changed counts for what is stored, and for nothing else', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const probe = {
    metadata: { name: 'probe', annotations: { 'certwheel.io/approved-by': 'alice' } },
    spec: {
      clientCertificateRef: { name: 'probe', uid: 'probe' },
      authorityRef,
      request: { commonName: 'seen-probe' },
      decision: 'Approved',
      validUntil: inHours(1),
    },
  };
  const path = '/spec/request/commonName';
  const admission = await alterObjects(
    world,
    namespace,
    CERTIFICATE_APPROVALS,
    probe,
    `JSONPatch{op: "replace", path: "${path}", value: "seen-other"}`,
  );
  await ask(namespace, 'seen-d');
  await untilReady(world, namespace, 'seen-d', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'seen-d');
  assert.is(await signed(namespace, 'seen-d'), 0);
  assert.is(conditionOf(await statusOf(world, namespace, 'seen-d'), 'Ready')?.reason, 'ApprovalPending');
  await admission.lift();
  await decide(world, namespace, 'seen-d');
  await untilReady(world, namespace, 'seen-d');
});

test('a ClientCertificate that a finalizer holds keeps its place, and an approval that one holds does not count', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await ask(namespace, 'one-a');
  await untilReady(world, namespace, 'one-a');
  await patch(world, CLIENT_CERTIFICATES, namespace, 'one-a', HELD);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'one-a');
  // Of two that were created in the same second, the smaller uid goes first.
  await untilNextSecond();
  await ask(namespace, 'one-b');
  await untilReady(world, namespace, 'one-b', { status: 'False', reason: 'TooManyCertificates' });
  assert.is(await signed(namespace, 'one-b'), 0);
  await patch(world, CLIENT_CERTIFICATES, namespace, 'one-a', FREE);
  await untilReady(world, namespace, 'one-b');

  await ask(namespace, 'seen-e');
  await untilReady(world, namespace, 'seen-e', { status: 'False', reason: 'ApprovalPending' });
  const { metadata } = await decide(world, namespace, 'seen-e');
  await untilReady(world, namespace, 'seen-e');
  const approval = metadata?.name ?? '';
  await patch(world, CERTIFICATE_APPROVALS, namespace, approval, HELD);
  await world.client.delete(CERTIFICATE_APPROVALS, namespace, approval);
  await renewAt(world, namespace, 'seen-e');
  await untilReady(world, namespace, 'seen-e', { type: 'Issuing', reason: 'ApprovalPending' });
  assert.is(await signed(namespace, 'seen-e'), 1);
  await patch(world, CERTIFICATE_APPROVALS, namespace, approval, FREE);
  assert.is(await signed(namespace, 'seen-e'), 1);
});

test.run();
