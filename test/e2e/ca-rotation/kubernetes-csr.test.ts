/** Another CA behind the signer of kube-controller-manager, which signs with it from one request to the next. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CERTIFICATE_SIGNING_REQUESTS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { startApprover } from '../backends/approver.ts';
import { renewAt } from '../support/edits.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { AT_ONCE, conditionOf, readSecret, statusOf } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { underTraffic } from './under-traffic.ts';

const shared = oneWorld();
test.after(shared.stop);

const MEMBERS = ['server', 'alice', 'bob'];
/** It signs certificates of clients alone. */
const SIGNER = 'kubernetes.io/kube-apiserver-client';
const SPEC = { duration: '10m', usages: ['digital signature', 'client auth'], dnsNames: [], ipAddresses: [] };
const SERVER_EXTENSIONS = [
  'basicConstraints = critical, CA:true',
  'extendedKeyUsage = serverAuth',
  'subjectAltName = DNS:localhost',
];

test('another CA of the signer, with both in the trust bundle: its certificates are withheld until all trust it, and no handshake fails', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const { cluster } = world;
  const [former, next] = [await makeCa('Cluster 2026'), await makeCa('Cluster 2027')];
  const signWith = async (pair: typeof former, name: string) => {
    const files = { certificate: join(cluster.dir, `${name}.crt`), key: join(cluster.dir, `${name}.key`) };
    writeFileSync(files.certificate, pair.certificate);
    writeFileSync(files.key, pair.key, { mode: 0o600 });
    await cluster.startControllerManager(['certificatesigningrequest-signing-controller'], files);
  };
  await signWith(former, 'former');
  console.log(`# kube-controller-manager ${await world.client.version()}`);
  onStop(startApprover(world, CERTIFICATE_SIGNING_REQUESTS).stop);
  await world.controller(['--namespaces', namespace]);
  const stating = (...cas: (typeof former)[]) => ({
    kubernetesCSR: { signerName: SIGNER, trustBundle: { inline: cas.map(({ certificate }) => certificate).join('') } },
  });
  const caRotation = { ...AT_ONCE, mode: 'Manual', propagation: '1s' };
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { ...stating(former), caRotation },
  });
  const secrets = await watchSecrets(world, namespace);
  const place = await underTraffic(
    world,
    namespace,
    SPEC,
    await makeCa('localhost', { extensions: SERVER_EXTENSIONS }),
  );
  await place.until('Active');

  await place.setSpec(stating(former, next));
  await place.until('Active', 'Trusted');
  await signWith(next, 'next');
  const secretOf = (name: string) => readSecret(world, namespace, `${name}-tls`);
  await renewAt(world, namespace, 'alice');
  await eventually('its status says that the certificate is withheld', async () => {
    const issuing = conditionOf(await statusOf(world, namespace, 'alice'), 'Issuing');
    return issuing?.reason === 'CertificateWithheld';
  });
  assert.is((await secretOf('alice'))?.leaf.issuer, 'CN=Cluster 2026');

  await place.annotate('certwheel.io/advance-ca', '2/Active');
  await place.until('Active', 'Active');
  for (const name of MEMBERS) if (name !== 'alice') await renewAt(world, namespace, name);
  await eventually(
    'all certificates come from the next CA',
    async () => {
      const found = await Promise.all(MEMBERS.map(secretOf));
      return found.every((each) => each?.leaf.issuer === 'CN=Cluster 2027');
    },
    2 * PATIENCE_MS,
  );
  await place.configure({ mode: 'Automatic' });
  await place.setSpec(stating(next));
  await place.until('Retired', 'Active');
  for (const name of MEMBERS)
    await eventually(`${name} trusts the next CA alone`, async () => {
      return (await secretOf(name))?.bundle.trim() === next.certificate.trim();
    });
  await place.end();
  for (const name of MEMBERS) assert.equal(faultsOfHistory(secrets.versions(`${name}-tls`)), [], name);
});

test.run();
