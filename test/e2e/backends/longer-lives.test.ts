import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kubernetesCSR } from '../../../src/backends/kubernetes-csr.ts';
import { patchAuthority } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { issuedAt } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { deskOf, SIGNER } from './csr-desk.ts';
import { signedStage } from './forging-signer.ts';

// A signer of the certificates API may grant another life than was asked for. This one grants an hour, whatever is asked for.

const MINUTE = 60_000;

const worlds = oneWorld();
const stages = lazily(async () => {
  const world = await worlds.get();
  return signedStage(world, kubernetesCSR.type, { signerName: SIGNER }, deskOf(world));
});
test.after(async () => {
  await (await stages.get()).stop();
  await worlds.stop();
});

test('a certificate that is granted longer than asked for is renewed as it was asked for', async () => {
  const { world, namespace } = await (await stages.get()).place();
  await create(world, clientCertificate(namespace, 'alice', { duration: '10m' }));
  const { renewalTime = '', notAfter = '' } = await untilReady(world, namespace, 'alice', {
    reason: 'DurationDiffers',
  });
  const issued = issuedAt((await readSecret(world, namespace, 'alice-tls'))?.object ?? {}).getTime();
  assert.ok(Date.parse(notAfter) - issued > 58 * MINUTE, notAfter);
  const dueInMs = Date.parse(renewalTime) - issued;
  // Half of ten minutes, up to a fifth earlier. The signer doesn't date back, so a minute counts as if it had.
  assert.ok(dueInMs > 3.9 * MINUTE && dueInMs < 6.1 * MINUTE, `${dueInMs}`);
});

test('what is granted beyond the limit of its authority never reaches a Secret, and the message says why', async () => {
  const { world, namespace } = await (await stages.get()).place();
  await patchAuthority(world, namespace, 'ca', { spec: { limits: { maxDuration: '30m' } } });
  await create(world, clientCertificate(namespace, 'bob', { duration: '10m' }));
  const refused = await untilReady(world, namespace, 'bob', { status: 'False', reason: 'InvalidAnswer' });
  assert.match(
    conditionOf(refused, 'Ready')?.message ?? '',
    'it is valid for 1h where limits.maxDuration of the authority is 30m: raise that, or have the authority grant less',
  );
  assert.is(await readSecret(world, namespace, 'bob-tls'), undefined);
});

test.run();
