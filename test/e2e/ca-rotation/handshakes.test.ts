/** A CA is replaced three times while clients send requests to real servers: none fails. */
import { test } from 'uvu';
import { oneWorld } from '../support/world.ts';
import { prove } from './handshakes/rotations.ts';
import { SHORT } from './handshakes/sizes.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed();

if (readers.length > 0)
  test('no request fails and no rogue is accepted during three CA rotations', async () => {
    await prove(await shared.get(), readers, SHORT, { rotations: 3, isRolledBack: false });
  });

test.run();
