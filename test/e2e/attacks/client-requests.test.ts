import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { clientKey, csrIn, forged, goesWith, putCsr } from '../support/client-keys.ts';
import { createSecret, restoreSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// The attacks: a user who may write the ConfigMap of a certificate request, and no ClientCertificate, asks for other names,
// without the key, or as often as can be; and a Secret without a key stands in for one with a key.

const scene = oneScene({});
test.after(scene.stop);

/** More changes than may bring certificates one after the other. */
const FLOOD = 8;

test('the writer of a request gets no name that the spec lacks, and no certificate over a key of others', async () => {
  const { world, namespace, controller } = await scene.get();
  const [owner, thief] = [await clientKey({ subject: '/' }), await clientKey({ subject: '/' })];
  await putCsr(world, namespace, 'names', owner.csr);
  await create(world, clientCertificate(namespace, 'names', { csr: csrIn('names') }));
  await untilReady(world, namespace, 'names');
  const attempts = [
    (await clientKey({ ...thief, subject: '/O=system:masters/CN=names' })).csr,
    (await clientKey({ ...thief, subject: '/CN=names/CN=admin' })).csr,
    (await clientKey({ ...thief, subject: '/DC=example/CN=names' })).csr,
    (await clientKey({ ...thief, extensions: ['subjectAltName = URI:spiffe://example.com/ns/kube-system/sa/x'] })).csr,
    (await clientKey({ ...thief, extensions: ['subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@x'] })).csr,
    forged(thief),
  ];
  for (const [at, csr] of attempts.entries()) {
    await putCsr(world, namespace, 'names', csr);
    await eventually(`attempt ${at} is told of`, async () => {
      return conditionOf(await statusOf(world, namespace, 'names'), 'Issuing')?.reason === 'CSRUnusable';
    });
    await goesWith((await world.client.get(SECRETS, namespace, 'names-tls')) ?? {}, owner);
    await putCsr(world, namespace, 'names', owner.csr);
    await eventually(`attempt ${at} is over`, async () => {
      return conditionOf(await statusOf(world, namespace, 'names'), 'Issuing') === undefined;
    });
  }
  assert.is(signatures(controller, namespace, 'names'), 1);
});

test('requests that change all the time bring no certificate each, and the status says so', async () => {
  const { world, namespace, controller } = await scene.get();
  const keys = await Promise.all([clientKey({ subject: '/' }), clientKey({ subject: '/' })]);
  await putCsr(world, namespace, 'flood', keys[0].csr);
  await create(world, clientCertificate(namespace, 'flood', { csr: csrIn('flood') }));
  await untilReady(world, namespace, 'flood');
  let is: 'issued' | 'slowed' = 'issued';
  for (let at = 1; at <= FLOOD && is === 'issued'; at++) {
    await putCsr(world, namespace, 'flood', keys[at % 2]?.csr ?? '');
    is = await eventually('it was issued, or is slowed down', async () => {
      const { reason } = conditionOf(await statusOf(world, namespace, 'flood'), 'Issuing') ?? {};
      if (reason === 'TooManyChanges') return 'slowed';
      return signatures(controller, namespace, 'flood') > at && 'issued';
    });
  }
  assert.is(is, 'slowed');
  // The former certificate is of use until then.
  assert.is(conditionOf(await statusOf(world, namespace, 'flood'), 'Ready')?.status, 'True');
});

test('a private key in place of a request gets into no status, event or log line', async () => {
  const { world, namespace, controller } = await scene.get();
  const { key } = await clientKey();
  await createSecret(world, namespace, 'leak', { data: { 'client.csr': Buffer.from(key).toString('base64') } });
  const csr = { secretKeyRef: { name: 'leak', key: 'client.csr' } };
  await create(world, clientCertificate(namespace, 'leak', { csr }));
  const status = await untilReady(world, namespace, 'leak', { status: 'False', reason: 'CSRUnusable' });
  const events = await eventually('an event tells of it', async () => {
    const found = await eventsOf(world, namespace, 'leak');
    return found.length > 0 && found;
  });
  const [, ...lines] = key.trim().split('\n');
  const secret = lines[0] ?? '';
  assert.ok(secret.length > 30);
  for (const told of [status, events, controller.logs]) assert.not.match(JSON.stringify(told), secret);
});

test('a Secret without a key never stands in for one with a key', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'keyless'));
  await untilReady(world, namespace, 'keyless');
  const { object } = (await readSecret(world, namespace, 'keyless-tls')) ?? {};
  // All of it can be read by others but the key: the certificate, the CA certificates and the marks.
  const { 'tls.key': _, ...data } = object?.data ?? {};
  await world.client.delete(SECRETS, namespace, 'keyless-tls');
  await restoreSecret(world, namespace, { ...object, type: 'Opaque', data }).catch(() => undefined);
  // Either Certwheel was faster, or it says what is in its place.
  await eventually('no certificate without its key is Ready', async () => {
    const now = await world.client.get(SECRETS, namespace, 'keyless-tls');
    const ready = conditionOf(await statusOf(world, namespace, 'keyless'), 'Ready');
    if (now?.type === 'kubernetes.io/tls') return ready?.status === 'True';
    return ready?.status === 'False' && ready.reason === 'SecretRefused';
  });
});

test.run();
