/** A new CA is rolled back while clients send requests to real servers: none fails. */
import { test } from 'uvu';
import { oneWorld } from '../support/world.ts';
import { prove } from './handshakes/rotations.ts';
import { SHORT } from './handshakes/sizes.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed();

if (readers.length > 0)
  test('no request fails and no rogue is accepted while a CA that clients use already is rolled back', async () => {
    await prove(
      await shared.get(),
      readers,
      { ...SHORT, clients: 12, requests: 400 },
      { rotations: 0, isRolledBack: true },
    );
  });

test.run();
