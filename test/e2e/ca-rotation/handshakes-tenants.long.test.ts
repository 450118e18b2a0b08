/** A cluster authority replaces its CA although some of its tenants' certificates can't follow, while clients send requests. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { go } from '../../interop/servers/go.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import { eventsIn, generationSecrets } from '../authority/swap.ts';
import { numbered } from '../process/support/fleet.ts';
import { refuseSecrets } from '../support/admission.ts';
import { patchCertificate, restoreSecret } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { AT_ONCE, readSecret, statusOf } from '../support/objects.ts';
import { makeLeaf, tlsData } from '../support/openssl.ts';
import { oneWorld, type World } from '../support/world.ts';
import type { Member } from './handshakes/clients.ts';
import { askForRotation, type Place, patchPlace, untilOnly } from './handshakes/place.ts';
import { flags, startStage } from './handshakes/stage.ts';
import { installed } from './handshakes/verifiers.ts';

const shared = oneWorld();
test.after(shared.stop);

const readers = await installed([nginx, go]);

/** How long Secrets that can't be written keep the new CA from signing. */
const DEADLINE = '8s';
const GOOD = numbered(4, 'good-');
const rule = (...commonNames: readonly string[]) => ({ name: 'members', namespaces: { all: true }, commonNames });

/** What is left of a client whose certificate has expired, with all marks of the authority. */
async function leaveExpired(world: World, home: string, namespace: string, retained: string): Promise<void> {
  const [generation] = await generationSecrets(world, home);
  const text = (key: string) => Buffer.from(generation?.data?.[key] ?? '', 'base64').toString();
  const pair = { certificate: text('tls.crt'), key: text('tls.key') };
  const leaf = await makeLeaf(pair, 'expired', { notAfter: new Date(Date.now() - 60_000) });
  const left = await world.client.get(SECRETS, namespace, retained);
  const data = tlsData(leaf, text('ca.crt'));
  await restoreSecret(world, namespace, { ...left, metadata: { ...left?.metadata, name: 'expired-tls' }, data });
}

if (readers.length > 0)
  test('tenants that are suspended, denied, unwritable, left behind or expired neither stop the rotation nor fail before their end', async () => {
    const world = await shared.get();
    const [home, one, two] = [await world.namespace(), await world.namespace(), await world.namespace()];
    const place: Place = { world, kind: 'ClusterCertificateAuthority', name: `clients-${home}`, home };
    await world.controller(['--controller-namespace', home, '--probe-addresses', '127.0.0.0/8', ...flags('2s')]);
    const odd = ['suspended', 'denied', 'retained'].map((name) => ({ namespace: one, name }));
    const broken = { namespace: two, name: 'broken' };
    const good = GOOD.map((name, index) => ({ namespace: index % 2 === 0 ? one : home, name }));
    const { clients, end, traffic, untilReissued } = await startStage(place, {
      readers,
      members: [...good, ...odd, broken].map((each) => ({ ...each, spec: { duration: '1m' } })),
      spec: {
        selfManaged: { commonName: 'Tenants' },
        allowedNamespaces: { all: true },
        issuancePolicy: { rules: [rule('*')] },
        caRotation: { ...AT_ONCE, progressDeadline: DEADLINE },
      },
      caNames: ['Tenants v1', 'Tenants v2'],
      requestsPerSecond: 15,
      lagMs: 1_200,
    });
    await patchCertificate(world, one, 'suspended', { spec: { suspend: true } });
    await patchCertificate(world, one, 'retained', { spec: { deletionPolicy: 'Retain' } });
    await eventually('the Secret stays', async () => {
      return (await readSecret(world, one, 'retained-tls'))?.object.metadata?.ownerReferences === undefined;
    });
    await world.client.delete(CLIENT_CERTIFICATES, one, 'retained');
    await leaveExpired(world, home, one, 'retained-tls');
    await patchPlace(place, {
      spec: { issuancePolicy: { rules: [rule('good-*', 'suspended', 'retained', 'broken')] } },
    });
    await refuseSecrets(world, two, 'no Secrets here', []);

    await askForRotation(place);
    await untilOnly(place, 2);
    const healthy = clients.all.filter(({ commonName }) => GOOD.includes(commonName));
    await untilReissued('CN=Tenants v2', healthy);
    const failing = [...odd, broken].map(({ namespace, name }) => `${namespace}/${name}-tls`);
    assert.equal(traffic.ended().toSorted(), failing.toSorted());
    await end();
    const reasonsOf = async ({ namespace, name }: Member) =>
      (await statusOf(world, namespace, name)).conditions?.map(({ reason }) => reason) ?? [];
    const [suspended, denied] = odd as [Member, Member];
    assert.equal(await reasonsOf(suspended), ['Expired']);
    assert.equal(await reasonsOf(denied), ['Expired', 'DeniedByPolicy']);
    assert.equal(await reasonsOf(broken), ['Expired', 'Retrying']);
    const overruled = await eventually('an event says for which the CA waited no longer', async () => {
      return (await eventsIn(world, 'default')).find(({ reason }) => reason === 'CARotationOverruled');
    });
    assert.match(overruled.note, /^generation 2 goes on, .*: 2, such as (Secret )?\S+, (Secret )?\S+$/);
    for (const each of [`${two}/broken`, `Secret ${one}/retained-tls`]) assert.ok(overruled.note.includes(each));
    console.log(
      `# ${traffic.requests()} requests, of tenants that can't follow too: ${traffic.failures().length} failed`,
    );
  });

test.run();
