import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { certificatesOf } from '../authority/history.ts';
import { eventsIn } from '../authority/swap.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  untilReady,
} from '../support/objects.ts';
import { makeCa, makeLeaf } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// The attack: a thief has the key of a CA that is being replaced, and signs a certificate of many years with it. A Secret with
// Certwheel's marks holds it, so that the CA stays trusted.

const YEAR_MS = 365 * 86_400_000;
/** A minute for the limit of the authority, another one for clocks that differ, and the time of the steps. */
const BOUND_MS = 150_000;
const OF_A_CLIENT = [
  'basicConstraints = critical, CA:false',
  'keyUsage = digitalSignature',
  'extendedKeyUsage = clientAuth',
];

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '1s'] });
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');

test('a certificate that the old CA cannot have signed keeps that CA trusted no longer than its own certificates do', async () => {
  const { world, namespace } = await scene.get();
  const [v1, v2] = await Promise.all([makeCa('v1'), makeCa('v2')]);
  const notAfter = new Date(Date.now() + 9 * YEAR_MS);
  const forged = await makeLeaf(v1, 'thief', { extensions: OF_A_CLIENT, notAfter });
  const status = () => authorityStatusOf(world, namespace, 'ca');
  await putCaSecret(world, namespace, 'pair', pairData(v1));
  await createSecretAuthority(world, namespace, 'ca', 'pair', { limits: { maxDuration: '1m' } });
  await create(world, clientCertificate(namespace, 'alice', { duration: '1m' }));
  await untilReady(world, namespace, 'alice');
  await putCaSecret(world, namespace, 'pair', pairData(v2));
  await eventually('the new CA signs', async () => (await status()).activeGeneration === 2);

  await world.client.create(SECRETS, {
    metadata: {
      namespace,
      name: 'forged',
      labels: { 'certwheel.io/certificate-name': 'nobody' },
      annotations: { 'certwheel.io/certificate-uid': 'none', 'certwheel.io/authority': 'CertificateAuthority/ca' },
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': base64(forged.certificate),
      'tls.key': base64(forged.key),
      'ca.crt': base64(v1.certificate + v2.certificate),
    },
  });
  // The control: it blocks the rotation for a while.
  await eventually('the old CA waits for it', async () => {
    const rotating = conditionOf(await status(), 'Rotating');
    return rotating?.message.includes(`Secret ${namespace}/forged`);
  });
  await eventually(
    'the old CA is retired',
    async () => (await status()).generations?.some(({ version, state }) => version === 1 && state === 'Retired'),
    BOUND_MS,
  );
  await eventually('it is in no ca.crt', async () => {
    const alice = await readSecret(world, namespace, 'alice-tls');
    return certificatesOf(alice?.bundle ?? '').length === 1;
  });
  const overruled = await eventually('a Warning event says that the CA rotation was overruled', async () =>
    (await eventsIn(world, namespace)).find(({ reason }) => reason === 'CARotationOverruled'),
  );
  assert.is(overruled.type, 'Warning');
  assert.match(overruled.note, `1 certificates, such as Secret ${namespace}/forged`);
});

test.run();
