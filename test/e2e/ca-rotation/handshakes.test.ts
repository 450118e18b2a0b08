/** A CA is replaced three times and once rolled back, while clients send requests to real servers: none fails. */
import { test } from 'uvu';
import { oneWorld } from '../support/world.ts';
import { proveRotations } from './handshakes/rotations.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed();

if (readers.length > 0)
  test('no request fails and no rogue is accepted, during three CA rotations and a roll-back', async () => {
    await proveRotations(await shared.get(), readers, {
      clients: 30,
      durations: ['1m'],
      requests: 1_500,
      requestsPerSecond: 20,
      propagation: '2s',
      lagMs: 1_200,
    });
  });

test.run();
