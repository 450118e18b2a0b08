import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, NOW, SECOND } from '../../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../../test/unit/certificate-world.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import { LONGEST_HOLD_MS } from './finalizer.ts';

const HELD = { finalizers: ['certwheel.io/revocation'] };

/** A ClientCertificate with the finalizer, of which each change is noted. */
function held(metadata: object) {
  const world = new CertificateWorld(aCertificate().with({ ...HELD, ...metadata }).raw);
  const holds: boolean[] = [];
  world.deps = { ...world.deps, hold: async (_resource, isHeld) => void holds.push(isHeld) };
  return { world, holds };
}

test('a resource that is being deleted and can not be observed is let go in time', async () => {
  const { world, holds } = held({ deletionTimestamp: toRfc3339(NOW) });
  world.journal.refuse('observe', ...Array.from({ length: 3 }, () => refusal(403)));
  await world.run();
  await world.clock.advance(LONGEST_HOLD_MS - SECOND);
  await world.run();
  assert.equal(holds, []);
  await world.clock.advance(SECOND);
  assert.equal(await world.run(), { do: 'again' });
  assert.equal(holds, [false]);
});

test('a clock that is set back holds no deletion for longer', async () => {
  const { world, holds } = held({ deletionTimestamp: toRfc3339(NOW) });
  const unobserved = async () => {
    world.journal.refuse('observe', refusal(403));
    await world.run();
  };
  await unobserved();
  world.clock.jump(-3_600_000);
  await unobserved();
  await world.clock.advance(LONGEST_HOLD_MS);
  await unobserved();
  assert.equal(holds, [false]);
});

test('a resource that is not being deleted and can not be observed keeps its finalizer', async () => {
  const { world, holds } = held({});
  world.journal.refuse('observe', refusal(403));
  await world.run();
  await world.clock.advance(2 * LONGEST_HOLD_MS);
  world.journal.refuse('observe', refusal(403));
  await world.run();
  assert.equal(holds, []);
});

test('a finalizer that can not be set does not keep a certificate from being issued', async () => {
  const { world, holds } = held({ finalizers: [] });
  const revocations = () => ({
    policy: { revokesSuperseded: false, revokesDeleted: true, revokesViolations: false, delayMs: 0 },
    unable: undefined,
    stateOf: () => undefined,
  });
  const { observe } = world.deps;
  world.deps = {
    ...world.deps,
    observe: async (resource) => (await observe(resource)).with({ revocations }),
    hold: async () => {
      holds.push(true);
      throw refusal(403, 'clientcertificates');
    },
  };
  const outcome = await world.run();
  assert.equal(holds, [true]);
  assert.is(world.condition('Ready'), 'True Issued');
  assert.ok(!(outcome instanceof Error) && outcome.do === 'rest' && outcome.recheckAt !== undefined);
});

test.run();
