/** A CA is replaced by two replicas of the controller that both act, while clients send requests. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { go } from '../../interop/servers/go.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import { numbered } from '../process/support/fleet.ts';
import { oneWorld } from '../support/world.ts';
import { askForRotation, type Place, statesOf, untilOnly } from './handshakes/place.ts';
import { flags, startStage } from './handshakes/stage.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed([nginx, go]);

if (readers.length > 0)
  test('two active replicas replace a CA, and no request fails', async () => {
    const world = await shared.get();
    const home = await world.namespace();
    const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
    const args = ['--namespaces', home, ...flags('2s')];
    await Promise.all([world.controller(args), world.controller(args)]);
    const { end, untilReissued } = await startStage(place, {
      readers,
      members: numbered(6).map((name) => ({ namespace: home, name, spec: { duration: '1m' } })),
      spec: { selfManaged: { commonName: 'Replicas' } },
      caNames: ['Replicas v1', 'Replicas v2'],
      requestsPerSecond: 10,
      lagMs: 1_200,
    });
    await askForRotation(place);
    assert.equal(statesOf(await untilOnly(place, 2)), ['Retired', 'Active'], 'they make one CA');
    await untilReissued('CN=Replicas v2');
    await end();
  });

test.run();
