import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_REQUESTS, CLIENT_CERTIFICATES, ISSUERS } from '../../../src/api/names.ts';
import { trueCondition } from '../../../src/backends/kubernetes/conditions.ts';
import { onStop } from '../../teardown.ts';
import { clusterUser } from '../process/support/access.ts';
import { isWrite, requestsOf, shortly } from '../process/support/audit.ts';
import { createSecret, renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, openssl, type Pair, tlsData, withFiles } from '../support/openssl.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { decide } from './approver.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import { awaitedRequest, OF_EVERY_KIND, untilTidy, untilToldOf } from './support.ts';

// certManager against cert-manager's own controllers, under the permissions of the chart.

const worlds = oneWorld({ controllers: ['garbage-collector-controller'] });
const shared = lazily(async () => {
  const world = await worlds.get();
  const certManager = await prepareCertManager(world.cluster);
  onStop(certManager.stop);
  console.log(`# cert-manager ${certManager.version}`);
  await certManager.start({ approver: false });
  const kubeconfig = await clusterUser(world, 'issuing');
  world.launch([], kubeconfig);
  return { world, certManager, kubeconfig };
});
test.after(worlds.stop);

/** A namespace with an Issuer that has a CA of its own, and an authority `ca` that uses this Issuer. */
async function place(world: World, spec: Record<string, unknown> = {}): Promise<{ namespace: string; ca: Pair }> {
  const namespace = await world.namespace();
  const ca = await makeCa(`CA of ${namespace}`);
  await createSecret(world, namespace, 'issuer-pair', { type: 'kubernetes.io/tls', data: tlsData(ca) });
  await world.client.create(ISSUERS, {
    metadata: { namespace, name: 'issuer' },
    spec: { ca: { secretName: 'issuer-pair' } },
  });
  await createAuthority({ world, namespace }, 'certManager', { issuerRef: { name: 'issuer' }, ...spec });
  await untilAuthority({ world, namespace });
  return { namespace, ca };
}

const asked = (world: World, namespace: string, name: string, other?: string) =>
  awaitedRequest(world, CERTIFICATE_REQUESTS, namespace, name, other);

test('a request is deleted with its owner; once it is approved, status.ca is what is trusted', async () => {
  const { world } = await shared.get();
  const { namespace, ca } = await place(world);
  await create(world, clientCertificate(namespace, 'alice', OF_EVERY_KIND));
  const name = await asked(world, namespace, 'alice');
  const request = await world.client.get(CERTIFICATE_REQUESTS, namespace, name);
  const owner = await world.client.get(CLIENT_CERTIFICATES, namespace, 'alice');
  assert.is(request?.metadata?.ownerReferences?.[0]?.uid, owner?.metadata?.uid);
  await decide(world, CERTIFICATE_REQUESTS, request ?? {}, 'Approved');
  await untilReady(world, namespace, 'alice');
  const secret = await readSecret(world, namespace, 'alice-tls');
  await opensslAccepts(secret?.object ?? {});
  assert.is(secret?.bundle.trim(), ca.certificate.trim());
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
});

test('with cert-manager’s own approver no request waits; lives are exact, keys are new, and what it costs', async () => {
  const { world, certManager } = await shared.get();
  await certManager.start({ approver: true });
  const { namespace, ca } = await place(world, { trustBundle: { secret: { name: 'issuer-pair', key: 'tls.crt' } } });
  const startedMs = performance.now();
  await create(world, clientCertificate(namespace, 'alice', { duration: '10m' }));
  await untilReady(world, namespace, 'alice');
  console.log(`from create to Ready ${Math.round(performance.now() - startedMs)} ms`);
  const first = await readSecret(world, namespace, 'alice-tls');
  const lifeMs = (first?.leaf.validToDate.getTime() ?? 0) - (first?.leaf.validFromDate.getTime() ?? 0);
  assert.is(lifeMs, 600_000);
  assert.is(first?.bundle.trim(), ca.certificate.trim());
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
  await untilToldOf(world, namespace, 'alice', 1);
  const since = new Date();
  await renewAt(world, namespace, 'alice');
  const second = await untilRevision(world, namespace, 'alice-tls', 2);
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
  assert.is.not(first?.key, second.key);
  await untilToldOf(world, namespace, 'alice', 2);
  const requests = await requestsOf(world, 'issuing', since);
  const writes = requests.filter(isWrite).map(shortly).sort();
  assert.equal(writes, [
    'create certificaterequests',
    'delete certificaterequests',
    'delete secrets',
    'patch clientcertificates/status',
    'patch clientcertificates/status',
    'patch events',
    'patch secrets',
    'patch secrets',
  ]);
  console.log(`a rotation: ${writes.length - 1} writes and an event, ${requests.length - writes.length} reads`);
  for (const algorithm of ['Ed25519', 'RSA']) {
    const name = algorithm.toLowerCase();
    await create(world, clientCertificate(namespace, name, { privateKey: { algorithm } }));
    await untilReady(world, namespace, name);
  }
});

/** Stands in for the controller of an external issuer, of which there are dozens: it signs what cert-manager approved. */
async function signAsExternal(world: World, namespace: string, name: string, ca: Pair): Promise<void> {
  const request = await eventually('it is approved', async () => {
    const found = await world.client.get(CERTIFICATE_REQUESTS, namespace, name);
    return trueCondition(found ?? {}, 'Approved') !== undefined && found;
  });
  const csr = Buffer.from((request.spec as { request: string }).request, 'base64').toString();
  const certificate = await withFiles({ csr, 'ca.crt': ca.certificate, 'ca.key': ca.key }, async (folder) => {
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    return openssl(folder, 'x509', '-req', '-in', 'csr', ...signer, '-days', '1');
  });
  const [encoded, encodedCa] = [certificate, ca.certificate].map((pem) => Buffer.from(pem).toString('base64'));
  const lastTransitionTime = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'signed', lastTransitionTime };
  const conditions = [...((request.status as { conditions?: object[] }).conditions ?? []), ready];
  const status = JSON.stringify({ status: { certificate: encoded, ca: encodedCa, conditions } });
  const args = ['patch', 'certificaterequest', name, '-n', namespace, '--subresource=status', '--type=merge'];
  await world.cluster.kubectl([...args, '-p', status]);
}

test('an external issuer, whose requests cert-manager approves and another program signs', async () => {
  const { world, certManager } = await shared.get();
  await certManager.start({ approver: true });
  const namespace = await world.namespace();
  const ca = await makeCa('external');
  const issuerRef = { name: 'theirs', kind: 'TheirIssuer', group: 'issuers.example.com' };
  await createAuthority({ world, namespace }, 'certManager', { issuerRef });
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'alice'));
  await signAsExternal(world, namespace, await asked(world, namespace, 'alice'), ca);
  await untilReady(world, namespace, 'alice');
  await opensslAccepts((await readSecret(world, namespace, 'alice-tls'))?.object ?? {});
  await untilTidy(world, CERTIFICATE_REQUESTS, namespace);
});

test('an issuer that is missing or not ready is reported in cert-manager’s words, and a life beyond its CA is refused', async () => {
  const { world, certManager } = await shared.get();
  await certManager.start({ approver: true });
  const namespace = await world.namespace();
  const where = { world, namespace };
  const notReady = (says: string) => untilAuthority(where, { status: 'False', reason: 'IssuerNotReady', says });
  await createAuthority(where, 'certManager', { issuerRef: { name: 'issuer' } });
  await notReady(`there is no Issuer issuer in namespace ${namespace}`);
  await world.client.create(ISSUERS, {
    metadata: { namespace, name: 'issuer' },
    spec: { ca: { secretName: 'later' } },
  });
  // cert-manager's own words.
  await notReady('later');
  const ca = await makeCa('late', { notAfter: new Date(Date.now() + 365 * 24 * 3_600_000) });
  await createSecret(world, namespace, 'later', { type: 'kubernetes.io/tls', data: tlsData(ca) });
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'alice', { duration: '10000h' }));
  await eventually('the answer is refused', async () => {
    const { lastFailure } = await statusOf(world, namespace, 'alice');
    return lastFailure?.reason === 'InvalidAnswer' && lastFailure.message.includes('outlives its issuer');
  });
  assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
});

test.run();
