/** After which CA the next one is made, where Certwheel makes it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { RUN } from '../../test/unit/builders.ts';
import { rotationScene } from '../../test/unit/rotation-scene.ts';
import type { CaPair } from '../pki/ca.ts';
import { afterRollBack } from './after-step.ts';
import type { Generation } from './generation.ts';
import { readSource } from './source.ts';

const DAY = 24;
/** Three quarters of its life are over, so that a successor is due. */
const old = pairOf(
  await root({ commonName: 'v1', notBefore: hoursFromNow(-75 * DAY), notAfter: hoursFromNow(25 * DAY) }),
);
const bad = pairOf(await root({ commonName: 'v2', notBefore: hoursFromNow(-2), notAfter: hoursFromNow(98 * DAY) }));
const fresh = pairOf(await root({ commonName: 'v3', notBefore: NOW, notAfter: hoursFromNow(100 * DAY) }));

const names = new Map([
  [old, 'v1'],
  [bad, 'v2'],
  [fresh, 'v3'],
] as [CaPair, string][]);

/** Which pair is wanted: `made after v1` where the backend was asked for a successor. */
async function wanted(generations: readonly Generation[], rotateAt?: Date): Promise<string> {
  const { runtime, asked, deps } = rotationScene(generations);
  Object.assign(runtime.backend, { makesCA: true });
  const { pair } = await readSource(runtime, 3, deps, RUN, rotateAt);
  const nameOf = (id: string | undefined) => [...names].find(([each]) => each.id === id)?.[1] ?? 'nothing';
  const [latest] = asked;
  return latest === undefined ? nameOf(pair?.id) : `made after ${nameOf(latest[0]?.id)}`;
}

const active = aGeneration(1, 'Active', old, { since: hoursFromNow(-1) });
const rolledBack = aGeneration(2, 'RolledBack', bad);
const signsAgain = afterRollBack({ do: 'rollBack', generation: active, rejected: rolledBack }, NOW);
/** The same with more of its life over. */
const older = pairOf(
  await root({ commonName: 'v1', notBefore: hoursFromNow(-90 * DAY), notAfter: hoursFromNow(10 * DAY) }),
);
names.set(older, 'older v1');

test('a CA whose generation was rolled back is not made again, neither while that is in use nor when it is retired', async () => {
  assert.is(await wanted([active]), 'made after v1');
  assert.is(await wanted([signsAgain, rolledBack]), 'made after v2', 'which is good for long');
  assert.is(await wanted([signsAgain]), 'v1');
  const nearEnd = { ...signsAgain, path: older, signer: older.signer };
  assert.is(await wanted([nearEnd]), 'made after older v1', 'five sixths of its life are over');
});

test('a request that was answered by a generation which was rolled back makes no other, and a later one does', async () => {
  const answered = hoursFromNow(-2);
  assert.is(await wanted([signsAgain, rolledBack], answered), 'made after v2');
  assert.is(await wanted([signsAgain], answered), 'v1');
  assert.is(await wanted([signsAgain], hoursFromNow(-1)), 'made after nothing');
  assert.is(await wanted([signsAgain], hoursFromNow(1)), 'v1', 'it is for later');
});

test('the generation that is made on request is gone on with', async () => {
  const asked = aGeneration(3, 'Pending', fresh);
  assert.is(await wanted([signsAgain, asked], hoursFromNow(-1)), 'made after v3');
  assert.is(await wanted([signsAgain, asked]), 'made after v3');
});

test('of several CAs that were rolled back the last one counts', () => {
  const twice = afterRollBack({ do: 'rollBack', generation: signsAgain, rejected: aGeneration(3, 'Active', old) }, NOW);
  assert.equal(twice.rejectedMadeAt, bad.certificate.notBefore);
});

test.run();
