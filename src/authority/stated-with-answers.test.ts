/** A machine that states its CA with each certificate, and at no other moment. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { AuthorityWorld, elsewhere, SECRET } from '../../test/unit/authority-world.ts';
import { after, DAY, MINUTE } from '../../test/unit/builders.ts';
import type { CertificateView } from '../pki/certificate.ts';

const { certificate: one } = elsewhere;
const { certificate: two } = await root({ commonName: 'Another', notBefore: after(-DAY), notAfter: after(400 * DAY) });

async function begin(): Promise<AuthorityWorld> {
  const world = new AuthorityWorld({ isRemote: true, raw: SECRET });
  world.isStatedWithAnswers = true;
  await world.run();
  return world;
}

/** A certificate came with that CA. */
function answer({ runtime }: AuthorityWorld, ca: CertificateView): void {
  if (runtime !== undefined) runtime.stated = [ca];
}

async function during(world: AuthorityWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE) {
    for (let run = 0; run < 10; run++) {
      const outcome = await world.run();
      if (outcome instanceof Error || outcome.do !== 'again') break;
    }
    await world.clock.advance(MINUTE);
  }
}

const states = (world: AuthorityWorld) => [...world.generations.states()].sort();

test('its CA rotation goes on after a restart, before the first certificate', async () => {
  const world = await begin();
  answer(world, one);
  await during(world, MINUTE);
  answer(world, two);
  for (let run = 0; run < 3; run++) await world.run();
  assert.equal(states(world), ['v1 Active', 'v2 Prepared']);
  world.restart();
  await during(world, 10 * MINUTE);
  assert.equal(states(world), ['v1 Active', 'v2 Active']);
  answer(world, two);
  await during(world, 10 * MINUTE);
  assert.equal(states(world), ['v2 Active']);
});

test.run();
