/** The CA pair of a `secret` authority is replaced with kubectl, while clients send requests. */
import { test } from 'uvu';
import { go } from '../../interop/servers/go.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import { numbered } from '../process/support/fleet.ts';
import { type CaFiles, makeCa, tlsData } from '../support/openssl.ts';
import { oneWorld, type World } from '../support/world.ts';
import { type Place, untilOnly } from './handshakes/place.ts';
import { flags, startStage } from './handshakes/stage.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed([nginx, go]);

/** As an operator does with a manifest. */
function applyPair({ cluster }: World, namespace: string, ca: CaFiles) {
  const metadata = { namespace, name: 'ca-pair' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data: tlsData(ca) };
  return cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(secret) });
}

if (readers.length > 0)
  test('a CA pair that is swapped by hand becomes the CA of all, and no request fails', async () => {
    const world = await shared.get();
    const home = await world.namespace();
    const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
    const caNames = ['Swapped v1', 'Swapped v2'];
    const [first, second] = (await Promise.all(caNames.map((name) => makeCa(name)))) as [CaFiles, CaFiles];
    await applyPair(world, home, first);
    await world.controller(['--namespaces', home, ...flags('2s')]);
    const { end, untilReissued } = await startStage(place, {
      readers,
      members: numbered(6).map((name) => ({ namespace: home, name, spec: { duration: '1m' } })),
      spec: { secret: { name: 'ca-pair' } },
      caNames,
      requestsPerSecond: 10,
      lagMs: 1_200,
    });
    await applyPair(world, home, second);
    await untilOnly(place, 2);
    await untilReissued(second.x509.subject);
    await end();
  });

test.run();
