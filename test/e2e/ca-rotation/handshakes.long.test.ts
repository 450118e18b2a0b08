/** The same as handshakes.test.ts and handshakes-rolled-back.test.ts in one, with 200 clients and 13,000 requests. */
import { test } from 'uvu';
import { oneWorld } from '../support/world.ts';
import { prove } from './handshakes/rotations.ts';
import { LONG } from './handshakes/sizes.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed();

if (readers.length > 0)
  test('13,000 requests of 200 clients: none fails and no rogue is accepted during three CA rotations and a roll-back', async () => {
    await prove(await shared.get(), readers, LONG, { rotations: 3, isRolledBack: true });
  });

test.run();
