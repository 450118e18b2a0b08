/**
 * https://github.com/cert-manager/cert-manager/issues/6714 (also 2196): what wakes the controller comes from outside, be it
 * a spec that flaps or an annotation that asks for a renewal, and each change costs a request: 48,000 of them took an API
 * server down.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchCertificate, renewAt } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

/** For this long the resource is changed again and again. */
const FLOOD_MS = 15_000;
/** Five at once, the first issue among them; then after 4 and 8 s. */
const MOST_SIGNATURES = 5 + 3;

const scene = oneScene({}, async ({ world, namespace }) => {
  for (const name of ['asking', 'flapping']) await create(world, clientCertificate(namespace, name));
  for (const name of ['asking', 'flapping']) await untilReady(world, namespace, name);
  const endsAt = Date.now() + FLOOD_MS;
  const flood = async (change: (count: number) => Promise<unknown>) => {
    let count = 0;
    for (; Date.now() < endsAt; await sleep(30)) await change(++count);
    return count;
  };
  const [asked, flapped] = await Promise.all([
    flood(() => renewAt(world, namespace, 'asking')),
    flood((count) => patchCertificate(world, namespace, 'flapping', { spec: { commonName: `flapping-${count}` } })),
  ]);
  return { asked, flapped };
});
test.after(scene.stop);

for (const name of ['asking', 'flapping'])
  test(`a flood of changes to ${name} costs a few signatures, and status says what slows it down`, async () => {
    const { world, controller, namespace, asked, flapped } = await scene.get();
    assert.ok(asked > 50 && flapped > 50, `only ${asked} and ${flapped} changes`);
    const signed = signatures(controller, namespace, name);
    assert.ok(signed >= 5 && signed <= MOST_SIGNATURES, `${signed} signatures`);
    const issuing = conditionOf(await statusOf(world, namespace, name), 'Issuing');
    assert.is(issuing?.reason, 'TooManyChanges');
    assert.match(issuing?.message ?? '', /next attempt at 20/);
    const warnings = (await eventsOf(world, namespace, name)).filter(({ reason }) => reason === 'TooManyChanges');
    assert.is(warnings.length, 1);
  });

test('the last spec wins', async () => {
  const { world, namespace, flapped } = await scene.get();
  await untilReady(world, namespace, 'flapping');
  const secret = await readSecret(world, namespace, 'flapping-tls');
  assert.match(secret?.leaf.subject ?? '', `CN=flapping-${flapped}`);
});

test.run();
