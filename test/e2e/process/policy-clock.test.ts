import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startAppHere } from '../support/app-here.ts';
import { decide, inHours } from '../support/approvals.ts';
import { renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { lines } from './support/fleet.ts';

// An approval, and a clock of the controller that is set.

const HOUR = 3_600_000;
/** A clock that was set is noticed within 5 s; what follows takes a little more. */
const NOTICED_MS = 7_000;

const shared = oneWorld();
test.after(shared.stop);

const issuancePolicy = { rules: [{ name: 'seen', commonNames: ['*'], approval: 'Required' }] };

/** A certificate of a day with an approval that ends in two hours. */
async function approved() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const { logs, setTo, stop } = await startAppHere(world, namespace, ['--approvals']);
  await createAuthority(world, selfManaged(namespace, 'ca', { issuancePolicy }));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice', { status: 'False', reason: 'ApprovalPending' });
  await decide(world, namespace, 'alice', { validUntil: inHours(2) });
  await untilReady(world, namespace, 'alice');
  const signed = () => lines(logs, 'signing', 'alice').length;
  return { world, namespace, setTo, stop, signed };
}

test('a clock that jumps over the end of an approval brings no renewal, and one that jumps back issues nothing', async () => {
  const { world, namespace, setTo, stop, signed } = await approved();
  setTo(13 * HOUR);
  const status = await untilReady(world, namespace, 'alice', { type: 'Issuing', reason: 'ApprovalPending' });
  assert.match(conditionOf(status, 'Issuing')?.message ?? '', /was valid until/);
  setTo(0);
  await sleep(NOTICED_MS);
  assert.equal([signed(), (await statusOf(world, namespace, 'alice')).revision], [1, 1]);
  // The approval holds again by this clock, which is right.
  await eventually('nothing is awaited any more', async () => {
    return conditionOf(await statusOf(world, namespace, 'alice'), 'Issuing') === undefined;
  });
  await stop();
});

test('a decision of the future, and a denial after an approval, count by when they were made and not by the clock', async () => {
  const { world, namespace, setTo, stop, signed } = await approved();
  // Everything was created after what this clock says now.
  setTo(-HOUR);
  await untilNextSecond();
  await decide(world, namespace, 'alice', { decision: 'Denied' });
  await untilReady(world, namespace, 'alice', { type: 'Stalled', reason: 'ApprovalDenied' });
  await renewAt(world, namespace, 'alice', new Date(Date.now() - 1.5 * HOUR).toISOString());
  await sleep(QUIET_MS);
  assert.is(signed(), 1);
  setTo(13 * HOUR);
  await sleep(NOTICED_MS);
  assert.equal(
    [signed(), conditionOf(await statusOf(world, namespace, 'alice'), 'Stalled')?.reason],
    [1, 'ApprovalDenied'],
  );
  await stop();
});

test.run();
