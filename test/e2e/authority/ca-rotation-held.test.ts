import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { writesTo } from '../process/support/audit.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchCertificate, patchSecret } from '../support/edits.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { issuedAt } from '../support/moments.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { certificatesOf } from './history.ts';
import { startSwap } from './swap.ts';

/** Time enough for a test on a busy machine to act between two steps. */
const PROPAGATION_MS = 5_000;
/** For longer than the propagation the rotation makes no step. */
const HELD_MS = PROPAGATION_MS + 1_000;

const flags = ['--trust-propagation', `${PROPAGATION_MS}ms`];
/** The CA that expires runs beside the other tests, since most of its time is waiting. */
const scene = oneScene({ authority: false, flags }, async ({ world }) => {
  const suspended = suspendOnExpiringCa(world);
  suspended.catch(() => {});
  return { suspended };
});
test.after(scene.stop);

test('a suspended certificate trusts the new CA, and the old CA is trusted as long as that certificate is valid', async () => {
  const { world: here } = await scene.get();
  const swap = await startSwap(here, { clients: ['alice', 'carol'], duration: '24h' });
  const { namespace, cas } = swap;
  const suspend = (value: boolean) => patchCertificate(here, namespace, 'carol', { spec: { suspend: value } });
  const renew = (name: string) =>
    patchCertificate(here, namespace, name, {
      metadata: { annotations: { 'certwheel.io/renew-at': new Date().toISOString() } },
    });
  await suspend(true);
  await untilReady(here, namespace, 'carol', { reason: 'Suspended' });
  await swap.put(cas.v2);
  await eventually('the new CA signs', async () => (await swap.status()).activeGeneration === 2);
  const carol = await readSecret(here, namespace, 'carol-tls');
  assert.is(certificatesOf(carol?.bundle ?? '').length, 2, 'both are in her ca.crt');
  assert.ok(carol?.leaf.verify(cas.v1.x509.publicKey), 'and she has the certificate that she had');
  for (const name of ['server', 'alice']) await renew(name);
  await eventually('the old CA waits for carol', async () => {
    const rotating = conditionOf(await swap.status(), 'Rotating');
    return rotating?.reason === 'Reissuing' && rotating.message.endsWith(`1 certificates, such as ${namespace}/carol`);
  });
  await sleep(HELD_MS);
  assert.is((await swap.status()).generations?.[1]?.state, 'Retiring', 'longer than the propagation');
  await suspend(false);
  await renew('carol');
  await swap.untilOnly(cas.v2);
  await swap.stop();
  assert.equal(swap.traffic.failures(), []);
});

test('a rotation waits for a certificate without a ClientCertificate until its Secret is gone', async () => {
  const { world: here } = await scene.get();
  const swap = await startSwap(here, { clients: ['alice', 'carol'], duration: '24h' });
  const { namespace, cas } = swap;
  await patchCertificate(here, namespace, 'carol', { spec: { deletionPolicy: 'Retain' } });
  await eventually('the Secret of carol stays', async () => {
    const secret = await here.client.get(SECRETS, namespace, 'carol-tls');
    return secret?.metadata?.ownerReferences === undefined;
  });
  await here.client.delete(CLIENT_CERTIFICATES, namespace, 'carol');
  await swap.put(cas.v2);
  await eventually('the new CA waits for what carol has left', async () => {
    const rotating = conditionOf(await swap.status(), 'Rotating');
    return rotating?.message.endsWith(`1 certificates, such as Secret ${namespace}/carol-tls`);
  });
  await sleep(HELD_MS);
  assert.is((await swap.status()).activeGeneration, 1, 'longer than the propagation');
  assert.equal(swap.traffic.failures(), []);
  await here.client.delete(SECRETS, namespace, 'carol-tls');
  await eventually('the new CA signs', async () => (await swap.status()).activeGeneration === 2);
  await swap.stop();
});

test('certificates that are refused or expired do not block a CA rotation', async () => {
  const { world: here } = await scene.get();
  const swap = await startSwap(here, { clients: ['alice', 'carol', 'dave'], duration: '24h' });
  const { namespace, cas } = swap;
  await patchCertificate(here, namespace, 'carol', { spec: { commonName: 'system:carol' } });
  await untilReady(here, namespace, 'carol', { type: 'Stalled', reason: 'SystemIdentityDenied' });
  // Its Secret can't be written any more, and its certificate expires.
  await patchCertificate(here, namespace, 'dave', { spec: { duration: '1m' } });
  const { notAfter = '' } = await eventually('dave has a brief one', async () => {
    const status = await statusOf(here, namespace, 'dave');
    return Date.parse(status.notAfter ?? '') < Date.now() + 90_000 && status;
  });
  await patchSecret(here, namespace, 'dave-tls', { immutable: true });
  await swap.put(cas.v2);
  await eventually('the new CA signs', async () => (await swap.status()).activeGeneration === 2, 2 * PATIENCE_MS);
  const since = Date.parse((await swap.status()).generations?.[0]?.since ?? '');
  assert.ok(since >= Date.parse(notAfter), 'a valid certificate that can not be written is waited for');
  const carol = await readSecret(here, namespace, 'carol-tls');
  assert.is(certificatesOf(carol?.bundle ?? '').length, 2);
  await swap.stop();
});

test('a suspended certificate of the old CA blocks the rotation only as long as it is valid', async () => {
  const { suspended } = await scene.get();
  const { v1, notAfter, status, secret } = await suspended;
  assert.ok(secret?.leaf.verify(v1.x509.publicKey), 'the test itself was too slow');
  const lateMs = Date.parse(status.generations?.[1]?.since ?? '') - Date.parse(notAfter ?? '');
  assert.ok(lateMs >= 0 && lateMs < 10_000, `retired ${lateMs} ms after its last certificate had run out`);
});

async function suspendOnExpiringCa(here: World) {
  const namespace = await here.namespace();
  const [v1, v2] = await Promise.all([makeCa('v1', { notAfter: inMs(25_000) }), makeCa('v2')]);
  await putCaSecret(here, namespace, 'pair', pairData(v1));
  await createSecretAuthority(here, namespace, 'ca', 'pair');
  await create(here, clientCertificate(namespace, 'still'));
  const { notAfter } = await untilReady(here, namespace, 'still');
  await putCaSecret(here, namespace, 'pair', pairData(v2));
  await eventually('it trusts the new CA', async () => {
    const secret = await readSecret(here, namespace, 'still-tls');
    return secret !== undefined && certificatesOf(secret.bundle).length === 2;
  });
  await patchCertificate(here, namespace, 'still', { spec: { suspend: true } });
  const status = await eventually('the old CA is retired', async () => {
    const now = await authorityStatusOf(here, namespace, 'ca');
    return now.generations?.[1]?.state === 'Retired' && now;
  });
  const secret = await readSecret(here, namespace, 'still-tls');
  return { v1, notAfter, status, secret };
}

test('the successor of a CA that has expired signs at once', async () => {
  const { world: here } = await scene.get();
  const namespace = await here.namespace();
  const [v1, v2] = await Promise.all([makeCa('v1', { notAfter: inMs(15_000) }), makeCa('v2')]);
  await putCaSecret(here, namespace, 'pair', pairData(v1));
  await createSecretAuthority(here, namespace, 'ca', 'pair');
  await create(here, clientCertificate(namespace, 'alice'));
  await untilReady(here, namespace, 'alice', { reason: 'CAEndsFirst' });
  await untilReady(here, namespace, 'alice', { status: 'False', reason: 'Expired' });
  const broken = await eventually('the authority says so', async () => {
    const ready = conditionOf(await authorityStatusOf(here, namespace, 'ca'), 'Ready');
    return ready?.status === 'False' && ready.reason === 'CAPairRefused' && ready;
  });
  assert.match(broken.message, 'has expired at');
  await putCaSecret(here, namespace, 'pair', pairData(v2));
  await untilReady(here, namespace, 'alice');
  const secret = await readSecret(here, namespace, 'alice-tls');
  const [replaced] = (await writesTo(here, 'secrets', namespace, 'pair')).slice(-1);
  const tookMs = issuedAt(secret?.object ?? {}).getTime() - Number(replaced);
  assert.ok(tookMs < 2_000, `${tookMs} ms, though nobody has to be waited for`);
  assert.ok(secret?.leaf.verify(v2.x509.publicKey));
});

function inMs(ms: number): Date {
  return new Date(Date.now() + ms);
}

test.run();
