import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, CLUSTER_CERTIFICATE_AUTHORITIES, SECRETS } from '../../../src/api/names.ts';
import { readLedgerSecret } from '../../../src/authority/ledger-secret.ts';
import { readLedger } from '../../../src/certificate/secret/ledger.ts';
import { patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import {
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const scene = oneScene({ isHome: true });
test.after(scene.stop);

/** The serial numbers that the ledgers of an authority list for a namespace. */
async function listed({ client }: World, place: string, secret: string, namespace: string): Promise<string[]> {
  const found = await client.get(SECRETS, place, secret);
  const text = readLedgerSecret(found ?? {}).get(namespace) ?? '';
  return readLedger(text).entries.map(({ serialNumber }) => serialNumber);
}

/** As the ledger writes a serial number. */
function serialOf(secret: Awaited<ReturnType<typeof readSecret>>): string {
  return secret?.leaf.serialNumber.toLowerCase() ?? 'no certificate';
}

async function issued(
  world: World,
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<string> {
  await create(world, clientCertificate(namespace, name, spec));
  await untilReady(world, namespace, name);
  return serialOf(await readSecret(world, namespace, `${name}-tls`));
}

test('all certificates of a deleted ClientCertificate that are still valid are kept beside the authority', async () => {
  const { world, namespace } = await scene.get();
  const first = await issued(world, namespace, 'alice');
  const other = await issued(world, namespace, 'other');
  await renewAt(world, namespace, 'alice');
  await eventually('it is renewed', async () => (await statusOf(world, namespace, 'alice')).revision === 2);
  const second = serialOf(await readSecret(world, namespace, 'alice-tls'));
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'alice');
  // No garbage collector runs here.
  await world.client.delete(SECRETS, namespace, 'alice-tls');
  const ledger = () => listed(world, namespace, 'ca-ca-ledger', namespace);
  await eventually('both are in the ledger', async () => (await ledger()).length > 0);
  assert.equal(await ledger(), [second, first]);
  assert.not.ok((await ledger()).includes(other));
});

test('a Secret that is deleted and made again leaves its former certificate to the ledger', async () => {
  const { world, namespace } = await scene.get();
  const former = await issued(world, namespace, 'bob');
  await world.client.delete(SECRETS, namespace, 'bob-tls');
  await eventually('it is in the ledger', async () =>
    (await listed(world, namespace, 'ca-ca-ledger', namespace)).includes(former),
  );
  await untilReady(world, namespace, 'bob');
  assert.is.not(serialOf(await readSecret(world, namespace, 'bob-tls')), former);
});

test('a ClientCertificate that changes to another authority leaves its former certificate to the ledger of the first', async () => {
  const { world, namespace } = await scene.get();
  const former = await issued(world, namespace, 'dave');
  await createAuthority(world, selfManaged(namespace, 'next'));
  await patchCertificate(world, namespace, 'dave', { spec: { authorityRef: { name: 'next' } } });
  await untilRevision(world, namespace, 'dave-tls', 2);
  await eventually('it is in the ledger', async () =>
    (await listed(world, namespace, 'ca-ca-ledger', namespace)).includes(former),
  );
  assert.equal(await listed(world, namespace, 'next-ca-ledger', namespace), []);
});

test('a cluster authority keeps the ledger of each namespace in the namespace of the controller', async () => {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'shared' },
    spec: { selfManaged: { commonName: 'shared' }, allowedNamespaces: { names: [namespace] } },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'shared' };
  const serial = await issued(world, namespace, 'carol', { authorityRef });
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'carol');
  await world.client.delete(SECRETS, namespace, 'carol-tls');
  await eventually('it is in the ledger', async () =>
    (await listed(world, home, 'shared-clusterca-ledger', namespace)).includes(serial),
  );
});

test.run();
