import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { oneBrokenWorld } from './support/broken.ts';
import { bugs, lines } from './support/fleet.ts';

const shared = oneBrokenWorld();
test.after(shared.stop);

const LONGEST_MS = 100_000;

// Takes a minute and a half: bookmarks come about once a minute, so less silence is no proof of death.
test('watches that freeze without a word are found out and opened anew within 100 s', async () => {
  const { world, proxy, controller } = await shared.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'before'));
  await untilReady(world, namespace, 'before');

  const frozen = proxy.watches();
  for (const watch of frozen) watch.freeze();
  const requestsBefore = proxy.requests.length;
  const { metadata } = await create(world, clientCertificate(namespace, 'unheard'));
  const status = await untilReady(world, namespace, 'unheard', {}, LONGEST_MS);
  // Both in whole seconds.
  const told = Date.parse(conditionOf(status, 'Ready')?.lastTransitionTime ?? '');
  const healedMs = told - Date.parse(String(metadata?.creationTimestamp));
  assert.ok(healedMs <= LONGEST_MS, `${healedMs} ms`);
  assert.ok(healedMs > 5_000, `it was heard after ${healedMs} ms, so nothing was frozen`);
  const reopened = proxy.requests.slice(requestsBefore).filter(({ watch }) => watch).length;
  console.log(`${frozen.length} frozen, healed after ${healedMs} ms with ${reopened} new watches`);
  assert.ok(reopened <= 2 * frozen.length, 'one new watch for each, and a second one at most');
  assert.is(lines(controller.logs, 'signing').length, 2);
  assert.equal(bugs(controller.logs), []);
});

test.run();
