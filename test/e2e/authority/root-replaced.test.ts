import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { makeCa, pairData, putCaSecret } from './ca-files.ts';
import { certificatesOf } from './history.ts';
import { createSecretAuthority } from './swap.ts';

const shared = oneWorld();
test.after(shared.stop);

test('the root of an intermediate that is added to its Secret later goes into every ca.crt', async () => {
  const world = await shared.get();
  await world.controller(['--trust-propagation', '1s']);
  const namespace = await world.namespace();
  const root = await makeCa({ commonName: 'Root' });
  const below = await makeCa({ commonName: 'Intermediate', issuer: root });
  const { 'tls.crt': certificate = '', 'tls.key': key = '' } = pairData(below);
  await putCaSecret(world, namespace, 'pair', { 'tls.crt': certificate, 'tls.key': key });
  await createSecretAuthority(world, namespace, 'ca', 'pair');
  await create(world, clientCertificate(namespace, 'alice', { duration: '1m' }));
  await untilReady(world, namespace, 'alice');
  const bundle = async () => certificatesOf((await readSecret(world, namespace, 'alice-tls'))?.bundle ?? '');
  assert.equal(
    (await bundle()).map(({ fingerprint256 }) => fingerprint256),
    [below.x509.fingerprint256],
  );

  await putCaSecret(world, namespace, 'pair', pairData(below));
  await eventually(
    'ca.crt has the root',
    async () => (await bundle()).some(({ fingerprint256 }) => fingerprint256 === root.x509.fingerprint256),
    10_000,
  );
});

test.run();
