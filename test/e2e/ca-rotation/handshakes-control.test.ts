/** The harness of the other files sees a failed handshake, and a server that accepts a rogue, where there is one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { go } from '../../interop/servers/go.ts';
import { nodeServer, SERVER } from '../probes/open-server.ts';
import { numbered } from '../process/support/fleet.ts';
import { eventually } from '../support/eventually.ts';
import { makeCa, makeLeaf } from '../support/openssl.ts';
import { oneWorld } from '../support/world.ts';
import { askForRotation, type Place, untilOnly } from './handshakes/place.ts';
import { showTo } from './handshakes/rogue.ts';
import { flags, startStage } from './handshakes/stage.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed([go]);

for (const reader of readers) {
  test('requests to a server fail that no gate waits for and that never loads the new CA, and all others succeed', async () => {
    const world = await shared.get();
    const home = await world.namespace();
    const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
    await world.controller(['--namespaces', home, ...flags('1s')]);
    const { traffic, end, untilReissued } = await startStage(place, {
      readers: [reader],
      forgotten: [{ ...reader, name: 'forgotten' }],
      members: numbered(3).map((name) => ({ namespace: home, name, spec: { duration: '1m' } })),
      spec: { selfManaged: { commonName: 'Control' } },
      caNames: ['Control v1', 'Control v2'],
      requestsPerSecond: 20,
      lagMs: 500,
    });
    assert.equal(traffic.failures(), []);
    await askForRotation(place);
    await untilOnly(place, 2);
    await untilReissued('CN=Control v2');
    await eventually('requests to it fail', () => traffic.failures().length > 3);
    for (const failure of traffic.failures())
      assert.match(
        failure,
        /^\S+ forgotten to \S+ over TLS 1\.[23]: alert unknown ca; certificate \S+ of CN=Control v2/,
      );
    const verdict = await end().then(
      () => 'nothing failed',
      ({ message }: Error) => message,
    );
    assert.match(verdict, /^\d+ failures$/);
  });

  test('a server that accepts everybody is seen to accept the rogue', async () => {
    const port = await nodeServer({ requestCert: true, rejectUnauthorized: false }, SERVER);
    const rogue = await makeLeaf(await makeCa('Clients'), 'client');
    assert.is(await showTo({ name: 'lax', port, reader, given: { subjects: [], atMs: 0 } }, rogue), 'accepted');
  });
}

test.run();
