import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_APPROVALS } from '../../../src/api/names.ts';
import { decide, inHours } from '../support/approvals.ts';
import { renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { applyWithoutPatterns } from '../support/older-crds.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a tenant has a request approved, and keeps the controller from seeing that it was denied later: with more approvals
// than a namespace has room for, which a tenant may create for an authority of its own, or because the denial can't be read.

/** An eighth of it is for approvals: some sixty of the largest. */
const flags = ['--approvals', '--namespace-share-mib', '1'];
const MANY = 150;
const rules = [{ name: 'seen', namespaces: { all: true }, commonNames: ['*'], approval: 'Required' }];
const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'platform' };

const scene = oneScene({ authority: false, isHome: true, flags, install: applyWithoutPatterns }, async ({ world }) => {
  await authorityWithRules(world, 'platform', rules);
  return {};
});
test.after(scene.stop);

/** A namespace with a certificate that was approved and issued. */
async function approved() {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, namespace, 'client', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'client');
  await untilReady(world, namespace, 'client');
  // Times of creation are in whole seconds, and the later decision counts.
  await sleep(1_100);
  return namespace;
}

/** Asks for a renewal, which is not made. */
async function unrenewed(namespace: string, says: string) {
  const { world, controller } = await scene.get();
  await renewAt(world, namespace, 'client');
  await eventually(`the status says ${says}`, async () => {
    const { conditions = [] } = await statusOf(world, namespace, 'client');
    return conditions.some(({ message }) => message.includes(says));
  });
  await sleep(QUIET_MS);
  assert.is(signatures(controller, namespace, 'client'), 1);
  assert.is(conditionOf(await statusOf(world, namespace, 'client'), 'Ready')?.status, 'True');
}

async function renewed(namespace: string) {
  const { world } = await scene.get();
  await renewAt(world, namespace, 'client');
  await untilRenewed(namespace);
}

async function untilRenewed(namespace: string) {
  const { world } = await scene.get();
  await eventually('it is renewed', async () => (await statusOf(world, namespace, 'client')).revision === 2);
}

/** As the owner of the namespace may, for an authority in it. */
async function fill(world: World, namespace: string): Promise<string[]> {
  const names = Array.from({ length: MANY }, (_, index) => `mine-${index}`);
  for (const name of names)
    await world.client.create(CERTIFICATE_APPROVALS, {
      metadata: { namespace, name, annotations: { 'certwheel.io/approved-by': 'mallory' } },
      spec: {
        clientCertificateRef: { name: 'mine', uid: 'mine' },
        authorityRef: { kind: 'CertificateAuthority', name: 'mine' },
        request: { commonName: 'mine' },
        decision: 'Approved',
        reason: 'x'.repeat(1_024),
        validUntil: inHours(24),
      },
    });
  return names;
}

test('the control: what was approved is renewed, and what was denied is not', async () => {
  const { world } = await scene.get();
  const namespace = await approved();
  await renewed(namespace);
  const other = await approved();
  await decide(world, other, 'client', { decision: 'Denied' });
  await unrenewed(other, 'alice denied this request');
});

test('a denial that there is no room for is not outvoted by the approval before it', async () => {
  const { world } = await scene.get();
  const namespace = await approved();
  const names = await fill(world, namespace);
  await decide(world, namespace, 'client', { decision: 'Denied' });
  await unrenewed(namespace, `namespace ${namespace} has more CertificateApprovals than are kept in memory`);

  // The others don't need them.
  const neighbour = await approved();
  await renewed(neighbour);
  for (const name of names) await world.client.delete(CERTIFICATE_APPROVALS, namespace, name);
});

test('a denial that an earlier schema admitted and Certwheel can not read is not outvoted by the approval before it', async () => {
  const { world } = await scene.get();
  const namespace = await approved();
  const denial = await decide(world, namespace, 'client', {
    decision: 'Denied',
    validUntil: '2126-01-01T00:00:00,5Z',
  });
  const name = denial.metadata?.name ?? '';
  await unrenewed(namespace, `CertificateApproval ${name}, which may deny this request, can't be read: `);
  // The renewal was asked for before.
  await decide(world, namespace, 'client');
  await untilRenewed(namespace);
});

test.run();
