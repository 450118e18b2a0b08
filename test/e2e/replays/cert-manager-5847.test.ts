/**
 * https://github.com/cert-manager/cert-manager/issues/5847: what becomes of a request that was denied depends on which of two
 * controllers is first: it fails for good, is tried again, or is issued.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { numbered } from '../process/support/fleet.ts';
import { decide } from '../support/approvals.ts';
import { renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

const issuancePolicy = { rules: [{ name: 'seen', commonNames: ['*'], approval: 'Required' }] };
const scene = oneScene({ flags: ['--approvals'], authority: { issuancePolicy } });
test.after(scene.stop);

/** Whichever has the smaller uid, and is seen first. */
const MANY = 20;
const SECOND_MS = 1_000;

test('of an approval and a denial in the same second the denial counts, and stays', async () => {
  const { world, controller, namespace } = await scene.get();
  const names = numbered(MANY);
  for (const name of names) await create(world, clientCertificate(namespace, name));
  for (const name of names) await untilReady(world, namespace, name, { status: 'False', reason: 'ApprovalPending' });
  const together: string[] = [];
  for (const [index, name] of names.entries()) {
    // Early in a second, so that both are of it.
    await sleep(SECOND_MS - (Date.now() % SECOND_MS));
    const order = index % 2 === 0 ? ['Approved', 'Denied'] : ['Denied', 'Approved'];
    const made = await Promise.all(order.map((decision) => decide(world, namespace, name, { decision })));
    const [one, other] = made.map(({ metadata }) => metadata?.creationTimestamp);
    if (one === other) together.push(name);
  }
  assert.ok(together.length > MANY / 2, `${together.length} of ${MANY} pairs are of one second`);
  for (const name of together) {
    // An approval that was seen first may have been carried out.
    const isIssued = signatures(controller, namespace, name) > 0;
    const denied = { reason: 'ApprovalDenied', ...(isIssued ? { type: 'Stalled' } : { status: 'False' }) };
    await untilReady(world, namespace, name, denied);
  }
  const before = together.map((name) => signatures(controller, namespace, name));
  for (const name of together) await renewAt(world, namespace, name);
  await sleep(QUIET_MS);
  const after = together.map((name) => signatures(controller, namespace, name));
  assert.equal(after, before);
});

test.run();
