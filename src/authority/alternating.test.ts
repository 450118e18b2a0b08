/** A machine that states now the one and now the other of its CAs, such as a pool of CAs, or replicas that differ. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { AuthorityWorld, elsewhere, SECRET } from '../../test/unit/authority-world.ts';
import { after, DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import type { CertificateView } from '../pki/certificate.ts';

const { certificate: one } = elsewhere;
const life = { notBefore: after(-DAY), notAfter: after(400 * DAY) };
const { certificate: two } = await root({ commonName: 'Another', ...life });
const { certificate: three } = await root({ commonName: 'Third', ...life });

/** Reconciles as often as a minute has to pass. */
async function during(world: AuthorityWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE) {
    for (let run = 0; run < 10; run++) {
      const outcome = await world.run();
      if (outcome instanceof Error || outcome.do !== 'again') break;
    }
    await world.clock.advance(MINUTE);
  }
}

async function state(world: AuthorityWorld, ...anchors: readonly CertificateView[]): Promise<void> {
  world.anchors = [...anchors];
  await during(world, 6 * MINUTE);
}

/** An authority whose machine stated both of its CAs for a while. */
async function begin(): Promise<AuthorityWorld> {
  const { spec, ...rest } = SECRET;
  const raw = { ...rest, spec: { ...(spec as object), caRotation: { retireAfter: '1h' } } };
  const world = new AuthorityWorld({ isRemote: true, raw });
  await state(world, one);
  await state(world, one, two);
  assert.equal([...world.generations.states()].sort(), ['v1 Active', 'v2 Active']);
  return world;
}

const retirings = (world: AuthorityWorld) => world.journal.count('event CAGenerationRetiring');

for (const [what, sets] of Object.entries({
  'states its two CAs in turn': [[one], [two]],
  'states one of its two CAs now and then': [[one, two], [two]],
} as const))
  test(`a machine that ${what} has each CA re-issue the certificates of the other once at most`, async () => {
    const world = await begin();
    for (let round = 0; round < 20; round++) for (const each of sets) await state(world, ...each);
    assert.ok(retirings(world) <= 2, `${retirings(world)} times`);
    assert.equal([...world.generations.states()].sort(), ['v1 Active', 'v2 Active']);
  });

test('a CA that is stated no more after that leaves a day later', async () => {
  const world = await begin();
  for (const each of [[two], [one, two], [two]] as const) await state(world, ...each);
  assert.equal([...world.generations.states()].sort(), ['v1 Active', 'v2 Active']);
  await during(world, 23 * HOUR);
  assert.equal([...world.generations.states()].sort(), ['v1 Active', 'v2 Active']);
  await during(world, 4 * HOUR);
  assert.equal(world.generations.states(), ['v2 Active']);
});

test('a CA that another one replaces for good leaves as before', async () => {
  const world = await begin();
  await state(world, two, three);
  await during(world, 2 * HOUR);
  assert.equal([...world.generations.states()].sort(), ['v2 Active', 'v3 Active']);
});

test.run();
