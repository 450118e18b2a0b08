/** A CA comes near its end, and is replaced although no one asks for it, while clients send requests. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AUTHORITY_KIND_LABEL,
  AUTHORITY_NAME_LABEL,
  GENERATION_SINCE_ANNOTATION,
  GENERATION_SOURCE_ANNOTATION,
  GENERATION_STATE_ANNOTATION,
} from '../../../src/api/names.ts';
import { go } from '../../interop/servers/go.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import { eventsIn } from '../authority/swap.ts';
import { numbered } from '../process/support/fleet.ts';
import { createSecret } from '../support/edits.ts';
import { type CaFiles, makeCa, tlsData } from '../support/openssl.ts';
import { oneWorld, type World } from '../support/world.ts';
import { type Place, statesOf, statusOfPlace, untilOnly } from './handshakes/place.ts';
import { flags, startStage } from './handshakes/stage.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed([nginx, go]);

/** The shortest life in the spec is an hour, so the CA is one of which most of the life is over. */
const LIFE_MS = 390_000;
/** Until two thirds of its life are over: time to start all that the test needs. */
const UNTIL_DUE_MS = 50_000;

/** The CA of an authority that was restored from a backup. */
function restoreGeneration(world: World, namespace: string, ca: CaFiles) {
  return createSecret(world, namespace, 'ca-ca-v1', {
    type: 'kubernetes.io/tls',
    data: tlsData(ca, ca.certificate),
    labels: { [AUTHORITY_NAME_LABEL]: 'ca', [AUTHORITY_KIND_LABEL]: 'CertificateAuthority' },
    annotations: {
      [GENERATION_STATE_ANNOTATION]: 'Active',
      [GENERATION_SINCE_ANNOTATION]: ca.x509.validFromDate.toISOString(),
      [GENERATION_SOURCE_ANNOTATION]: 'selfManaged',
    },
  });
}

if (readers.length > 0)
  test('a CA is replaced by itself before its end, and no request fails', async () => {
    const world = await shared.get();
    const home = await world.namespace();
    const place: Place = { world, kind: 'CertificateAuthority', name: 'ca', home };
    const dueMs = Date.now() + UNTIL_DUE_MS;
    const ca = await makeCa('Expiring v1', {
      notBefore: new Date(dueMs - (LIFE_MS * 2) / 3),
      notAfter: new Date(dueMs + LIFE_MS / 3),
    });
    await restoreGeneration(world, home, ca);
    await world.controller(['--namespaces', home, ...flags('2s')]);
    const { end, untilReissued } = await startStage(place, {
      readers,
      members: numbered(6).map((name) => ({ namespace: home, name, spec: { duration: '1m' } })),
      spec: { selfManaged: { commonName: 'Expiring' } },
      caNames: ['Expiring v1', 'Expiring v2'],
      requestsPerSecond: 10,
      lagMs: 1_200,
    });
    assert.equal(statesOf(await statusOfPlace(place)), ['Active'], 'the traffic begins before the rotation');
    const { generations = [] } = await untilOnly(place, 2);
    const since = Date.parse(generations.find(({ version }) => version === 1)?.since ?? '');
    assert.ok(since < ca.x509.validToDate.getTime(), 'the former CA is retired before its end');
    await untilReissued('CN=Expiring v2');
    await end();
    const reasons = (await eventsIn(world, home)).map(({ reason }) => reason);
    assert.ok(reasons.includes('CAGenerationRetired'));
    assert.not(reasons.includes('CARotationOverruled'));
  });

test.run();
