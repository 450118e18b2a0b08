/** The same as handshakes.test.ts and handshakes-rolled-back.test.ts, with 200 clients and more than 10,000 requests. */
import { test } from 'uvu';
import { oneWorld } from '../support/world.ts';
import { proveRollBack, proveRotations } from './handshakes/rotations.ts';
import { LONG } from './handshakes/sizes.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed();

if (readers.length > 0) {
  test('10,000 requests of 200 clients: none fails and no rogue is accepted during three CA rotations', async () => {
    await proveRotations(await shared.get(), readers, LONG);
  });

  test('3,000 requests of 200 clients: none fails while a CA that they use already is rolled back', async () => {
    await proveRollBack(await shared.get(), readers, { ...LONG, requests: 3_000 });
  });
}

test.run();
