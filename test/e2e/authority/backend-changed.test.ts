import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchAuthority } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';
import { certificatesOf } from './history.ts';
import { generationSecrets } from './swap.ts';

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '2s'] });
test.after(scene.stop);

const subjects = (bundle: string) => certificatesOf(bundle).map(({ subject }) => subject.split('\n').at(-1));

test('after a change from selfManaged to a CA pair the old CA neither signs nor stays', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice', { duration: '1m' }));
  await untilReady(world, namespace, 'alice');
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa('Corporate')));
  await patchAuthority(world, namespace, 'ca', { spec: { selfManaged: null, secret: { name: 'pair' } } });
  const status = await eventually('the new CA signs', async () => {
    const found = await authorityStatusOf(world, namespace, 'ca');
    return found.activeGeneration === 2 && found;
  });
  assert.match(conditionOf(status, 'Ready')?.message ?? '', /issues from CA generation 2 .*Corporate/);
  // Alice trusted the new CA before anything was signed by it.
  const secret = await readSecret(world, namespace, 'alice-tls');
  assert.equal(subjects(secret?.bundle ?? '').sort(), ['CN=Corporate', 'CN=Test ca v1']);
  await eventually('the old key is gone', async () => (await generationSecrets(world, namespace)).length === 1);
  const renewed = await readSecret(world, namespace, 'alice-tls');
  assert.match(renewed?.leaf.issuer ?? '', /Corporate/);
  assert.is((await statusOf(world, namespace, 'alice')).authorityGeneration, 2);
});

test('after a change to a remote CA the old key is removed, and the old CA is trusted as long as a certificate of it is valid', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice', { duration: '1m' }));
  const { notAfter = '' } = await untilReady(world, namespace, 'alice');
  const { certificate } = await makeCa('Elsewhere');
  const kubernetesCSR = { signerName: 'example.com/nobody', trustBundle: { inline: certificate } };
  await patchAuthority(world, namespace, 'ca', { spec: { selfManaged: null, kubernetesCSR } });
  const status = await eventually('the authority is another', async () => {
    const found = await authorityStatusOf(world, namespace, 'ca');
    return found.backend === 'kubernetesCSR' && conditionOf(found, 'Ready')?.status === 'True' && found;
  });
  assert.not.match(conditionOf(status, 'Ready')?.message ?? '', /generation/);
  assert.is(status.activeGeneration, undefined);
  assert.match(
    conditionOf(status, 'Rotating')?.message ?? '',
    /generation (1 is trusted until|2 goes into every ca.crt)/,
  );
  await eventually('both are trusted', async () => {
    const secret = await readSecret(world, namespace, 'alice-tls');
    return subjects(secret?.bundle ?? '').length === 2;
  });
  const retired = await eventually('the old CA is retired', async () => {
    const { generations = [] } = await authorityStatusOf(world, namespace, 'ca');
    const former = generations.find(({ version }) => version === 1);
    return former?.state === 'Retired' && former;
  });
  assert.ok(Date.parse(retired.since ?? '') >= Date.parse(notAfter), 'not before the last certificate of it has ended');
  const left = await generationSecrets(world, namespace);
  assert.equal(
    left.map(({ metadata }) => metadata?.name),
    ['ca-ca-v2'],
  );
});

test.run();
