import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CERTIFICATE_SIGNING_REQUESTS as CSRS } from '../../../src/api/names.ts';
import { names } from '../../bench/rate.ts';
import { clusterUser } from '../process/support/access.ts';
import { isWrite, requestsOf, shortly } from '../process/support/audit.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { issuedAt } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { approvingAuthority, createAuthority, untilAuthority, untilClusterAuthority } from './place.ts';
import { awaitedRequest, untilTidy, untilToldOf } from './support.ts';

// kubernetesCSR against the signing controller of a real kube-controller-manager, under the permissions of the chart.

const SIGNER = 'kubernetes.io/kube-apiserver-client';
const EXAMPLES = `${import.meta.dirname}/../../../examples/authorities/kubernetes-csr`;
const MINUTE = 60_000;
/** The requests of this time are counted. */
const WINDOW_MS = 10_000;

const shared = oneWorld({
  controllers: [
    'certificatesigningrequest-signing-controller',
    'certificatesigningrequest-cleaner-controller',
    'root-ca-certificate-publisher-controller',
    'garbage-collector-controller',
  ],
});
test.after(shared.stop);

let user: Promise<string> | undefined;
/** One world, one user with the permissions of the chart and those of the example, one controller. */
async function here(): Promise<{ world: World; kubeconfig: string }> {
  const world = await shared.get();
  user ??= (async () => {
    const version = await world.client.version();
    console.log(`# kube-controller-manager ${version}`);
    const kubeconfig = await clusterUser(world, 'issuing');
    const roles = readFileSync(`${EXAMPLES}/approver.yaml`, 'utf8').replace(
      /- kind: ServiceAccount\n {4}name: certwheel\n {4}namespace: certwheel-system/,
      '- apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: issuing',
    );
    await world.cluster.kubectl(['apply', '-f', '-'], { input: roles });
    world.launch([], kubeconfig);
    return kubeconfig;
  })();
  return { world, kubeconfig: await user };
}

const BACKEND = { signerName: SIGNER, trustBundle: { configMap: { name: 'kube-root-ca.crt' } } };

/** A namespace with an authority `ca` whose requests other programs approve. */
async function place(world: World, spec: Record<string, unknown> = {}): Promise<string> {
  const namespace = await world.namespace();
  await createAuthority({ world, namespace }, 'kubernetesCSR', { ...BACKEND, ...spec });
  return namespace;
}

/** A namespace whose certificates name an authority that approves by itself. */
async function approving(world: World, spec: Record<string, unknown> = {}) {
  const namespace = await world.namespace();
  const of = await approvingAuthority(world, namespace, { ...BACKEND, ...spec });
  return { namespace, of };
}

const asked = (world: World, namespace: string, name: string, other?: string) =>
  awaitedRequest(world, CSRS, namespace, name, other);

test('an authority for clients of the API server says that its names are users and groups of the cluster', async () => {
  const { world } = await here();
  const says = '; to this cluster each common name is a user, and each organization a group';
  await untilAuthority({ world, namespace: await place(world) }, { says });
  const namespace = await place(world, { signerName: 'example.com/clients' });
  const { message } = await untilAuthority({ world, namespace });
  assert.not.match(message, says);
});

test('with approve it needs no approver: Ed25519 and RSA too, a new key at each renewal', async () => {
  const { world } = await here();
  const { namespace, of } = await approving(world);
  await untilClusterAuthority(world, namespace);
  const startedMs = performance.now();
  await create(world, clientCertificate(namespace, 'alice', of));
  await untilReady(world, namespace, 'alice');
  console.log(`from create to Ready ${Math.round(performance.now() - startedMs)} ms`);
  const first = await readSecret(world, namespace, 'alice-tls');
  await renewAt(world, namespace, 'alice');
  const second = await untilRevision(world, namespace, 'alice-tls', 2);
  assert.is.not(first?.key, second.key);
  await opensslAccepts(second.object);
  for (const algorithm of ['Ed25519', 'RSA']) {
    const name = algorithm.toLowerCase();
    await create(world, clientCertificate(namespace, name, { ...of, privateKey: { algorithm } }));
    await untilReady(world, namespace, name);
    await opensslAccepts((await readSecret(world, namespace, `${name}-tls`))?.object ?? {});
  }
  await untilTidy(world, CSRS, namespace);
});

test('a life of less than 8 hours ends when it was asked to, a longer one 5 minutes earlier, and none after what the signer grants', async () => {
  const { world } = await here();
  const { namespace, of } = await approving(world);
  const lives: Record<string, number> = { short: 10 * MINUTE, day: 1_440 * MINUTE, years: 525_600 * MINUTE };
  await create(world, clientCertificate(namespace, 'short', { ...of, duration: '10m' }));
  await create(world, clientCertificate(namespace, 'day', { ...of, duration: '24h' }));
  await create(world, clientCertificate(namespace, 'years', { ...of, duration: '20000h' }));
  for (const [name, life] of Object.entries(lives)) {
    await untilReady(world, namespace, name);
    const secret = await readSecret(world, namespace, `${name}-tls`);
    const leftMs = (secret?.leaf.validToDate.getTime() ?? 0) - issuedAt(secret?.object ?? {}).getTime();
    // The signer backdates longer ones, and counts from there.
    const most = name === 'short' ? life : life - 5 * MINUTE;
    assert.ok(leftMs <= most && leftMs > most - MINUTE, `${name}: ${leftMs} of ${most}`);
  }
  await create(world, clientCertificate(namespace, 'shorter', { ...of, duration: '9m' }));
  const refused = await untilReady(world, namespace, 'shorter', {
    type: 'Stalled',
    reason: 'UnsupportedByAuthority',
  });
  assert.match(conditionOf(refused, 'Stalled')?.message ?? '', 'spec.duration 9m, but at least 10m');
});

test('a refusal of the signer is reported in the words of the signer', async () => {
  const { world } = await here();
  const { namespace, of } = await approving(world);
  await create(world, clientCertificate(namespace, 'alice', { ...of, usages: ['client auth', 'server auth'] }));
  const status = await untilReady(world, namespace, 'alice', { type: 'Stalled', reason: 'RequestDenied' });
  assert.match(conditionOf(status, 'Stalled')?.message ?? '', /SignerValidationFailure: .*server auth/);
});

test('waiting costs a request a second at first and ever fewer later; a rotation costs eight writes', async () => {
  const { world } = await here();
  const waiting = await place(world);
  await create(world, clientCertificate(waiting, 'alice'));
  await asked(world, waiting, 'alice');
  await eventually('the first poll has come', async () =>
    (await requestsOf(world, 'issuing')).some(
      ({ verb, objectRef }) =>
        verb === 'get' && objectRef?.resource === CSRS.plural && objectRef.name?.includes(waiting),
    ),
  );
  const since = new Date();
  await sleep(WINDOW_MS);
  // The test itself may have slept longer.
  const isWithin = (moment: string) => Date.parse(moment) < since.getTime() + WINDOW_MS;
  const polls = (await requestsOf(world, 'issuing', since))
    .filter(({ requestReceivedTimestamp }) => isWithin(requestReceivedTimestamp))
    .map(shortly);
  const asks = polls.filter((each) => each === 'get certificatesigningrequests');
  assert.ok(asks.length >= 3 && asks.length <= 11, polls.join());
  // While there is no Secret, each reconcile checks that there still is none.
  assert.equal([...new Set(polls)].sort(), ['get certificatesigningrequests', 'get secrets']);
  await world.cluster.kubectl(['delete', 'ccert', 'alice', '-n', waiting]);
  await untilTidy(world, CSRS, waiting);

  const { namespace, of } = await approving(world);
  await create(world, clientCertificate(namespace, 'alice', of));
  await untilReady(world, namespace, 'alice');
  await untilTidy(world, CSRS, namespace);
  await untilToldOf(world, namespace, 'alice', 1);
  const before = new Date();
  await renewAt(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', 2);
  await untilTidy(world, CSRS, namespace);
  await untilToldOf(world, namespace, 'alice', 2);
  // No further request follows.
  await sleep(QUIET_MS);
  const requests = await requestsOf(world, 'issuing', before);
  const writes = requests.filter(isWrite).map(shortly).sort();
  assert.equal(writes, [
    'create certificatesigningrequests',
    'delete certificatesigningrequests',
    'delete secrets',
    'patch certificatesigningrequests/approval',
    'patch clientcertificates/status',
    'patch clientcertificates/status',
    'patch events',
    'patch secrets',
    'patch secrets',
  ]);
  console.log(
    `a rotation: ${writes.length - 1} writes and an event, ${requests.length - writes.length} reads; 10 s of waiting for a first one: ${polls.length} reads`,
  );
});

test('pending requests are polled at most twice as often as new requests may be made', async () => {
  const { world } = await here();
  const namespace = await world.namespace();
  const rateLimit = { requests: 1, per: 'Second', burst: 8 };
  const spec = { kubernetesCSR: BACKEND, rateLimit };
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec });
  const all = names('pending', rateLimit.burst);
  const before = new Date();
  await Promise.all(all.map((name) => create(world, clientCertificate(namespace, name))));
  // They are never approved.
  for (const name of all) await asked(world, namespace, name);
  await sleep(WINDOW_MS);
  const looks = (await requestsOf(world, 'issuing', before)).filter(
    ({ verb, objectRef }) =>
      verb === 'get' && objectRef?.resource === CSRS.plural && objectRef.name?.includes(namespace),
  );
  const seconds = Math.ceil((Date.now() - before.getTime()) / 1_000);
  const most = 2 * (rateLimit.burst + seconds * rateLimit.requests);
  assert.ok(looks.length <= most, `${looks.length} looks in ${seconds} s`);
  assert.is(new Set(looks.map(({ objectRef }) => objectRef?.name)).size, all.length, 'each is looked for');
});

test('the authority reports a missing bundle and a missing right to approve, and a wrong CA reaches no Secret', async () => {
  const { world } = await here();
  const missing = await place(world, { trustBundle: { configMap: { name: 'nowhere' } } });
  const where = { world, namespace: missing };
  const says = `there is no ConfigMap ${missing}/nowhere`;
  await untilAuthority(where, { status: 'False', reason: 'TrustBundleNotFound', says });
  const input = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: missing, name: 'nowhere' },
    data: { 'ca.crt': readFileSync(world.cluster.caPath, 'utf8') },
  });
  await world.cluster.kubectl(['apply', '-f', '-'], { input });
  await untilAuthority(where);

  const refused = await approving(world, { signerName: 'example.com/clients' });
  await untilClusterAuthority(world, refused.namespace, {
    status: 'False',
    reason: 'BackendForbidden',
    says: 'may not approve requests for the signer example.com/clients; grant it as docs/authorities/kubernetes-csr.md says',
  });

  const foreign = await makeCa('another CA');
  const { namespace: wrong, of } = await approving(world, { trustBundle: { inline: foreign.certificate } });
  await create(world, clientCertificate(wrong, 'alice', of));
  await eventually('the answer is refused', async () => {
    const { lastFailure } = await statusOf(world, wrong, 'alice');
    return (
      lastFailure?.reason === 'InvalidAnswer' && lastFailure.message.includes("does not chain to the authority's CA")
    );
  });
  assert.is(await readSecret(world, wrong, 'alice-tls'), undefined);
  await world.cluster.kubectl(['delete', 'ccert', 'alice', '-n', wrong]);
  await untilTidy(world, CSRS, wrong);
});

test.run();
