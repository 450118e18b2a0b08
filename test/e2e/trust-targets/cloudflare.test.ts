import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import {
  base64,
  type CloudflareWorld,
  newToken,
  putToken,
  startCloudflare,
  TOKEN_SECRET,
} from '../backends/cloudflare-world.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchAuthority, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import {
  AT_ONCE,
  authorityStatusOf,
  statusOf as certificateStatus,
  clientCertificate,
  create,
  readSecret,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { clusterStatus, createClusterAuthority } from './support.ts';

// spec.trust.targets[].cloudflareMTLS against the fake of Cloudflare.

const scene = oneScene({
  authority: false,
  isHome: true,
  flags: ['--allow-loopback-authorities', '--trust-propagation', '2s', '--kubelet-sync', '1s'],
});
test.after(scene.stop);
const HOSTS = ['api.example.com', 'mtls.example.com'];
/** One for each test, since an account has one quota. */
const cloudflare = () => lazily(() => startCloudflare()).get();

function targetAt({ fake }: CloudflareWorld, more: object = {}) {
  const { account, zone } = fake.zone;
  const at = { server: fake.url, caBundle: base64(fake.ca), account, zone, hostnames: HOSTS };
  return { name: 'edge', cloudflareMTLS: { ...at, apiTokenSecretRef: { name: TOKEN_SECRET }, ...more } };
}

/** An authority of a namespace of its own, with a pair that the test replaces. */
async function authorityWith(world: World, target: object, token: string, spec: object = { secret: { name: 'pair' } }) {
  const namespace = await world.namespace();
  await putToken({ world, namespace }, token);
  const pair = await makeCa(`${namespace} v1`);
  await putCaSecret(world, namespace, 'pair', pairData(pair));
  const trust = { targets: [target] };
  const authority = { metadata: { namespace, name: 'ca' }, spec: { caRotation: AT_ONCE, trust, ...spec } };
  await world.client.create(CERTIFICATE_AUTHORITIES, authority);
  return { namespace, pair };
}

async function statusOf(world: World, namespace: string) {
  return (await authorityStatusOf(world, namespace, 'ca')).trust?.targets?.[0];
}

function untilSays(world: World, namespace: string, reason: string, says: string) {
  return eventually(`the target says ${reason}: ${says}`, async () => {
    const waiting = (await statusOf(world, namespace))?.waiting?.[0];
    return waiting?.reason === reason && waiting.message.includes(says) && waiting;
  });
}

test('a CA rotation uploads the new CA beside the old one before it signs, and deletes the old one in the end', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { zone } = there.fake;
  const foreign = zone.upload({ ca: true, certificates: (await makeCa('of another')).certificate, name: 'by hand' });
  zone.associate({ hostnames: ['other.example.com'], mtls_certificate_id: foreign.id });
  const { namespace, pair } = await authorityWith(world, targetAt(there), newToken(there.fake));
  await create(world, clientCertificate(namespace, 'client', { duration: '1m' }));
  await untilReady(world, namespace, 'client');
  const [first] = await eventually('the first CA is there', () => {
    const ours = zone.uploaded.filter(({ id }) => id !== foreign.id);
    return ours.length === 1 && zone.hostnames.get(ours[0]?.id ?? '')?.length === 2 && ours;
  });
  assert.equal(zone.hostnames.get(first?.id ?? ''), HOSTS);
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa(`${namespace} v2`)));
  await eventually('both are there', () => zone.uploaded.length === 3);
  assert.is(
    (await readSecret(world, namespace, 'client-tls'))?.leaf.issuer,
    pair.x509.subject,
    'the old one signs still',
  );
  await eventually('the old one is deleted', () => zone.uploaded.every(({ id }) => id !== first?.id));
  assert.is.not((await readSecret(world, namespace, 'client-tls'))?.leaf.issuer, pair.x509.subject);
  const [, second] = zone.uploaded;
  assert.equal(zone.hostnames.get(second?.id ?? ''), HOSTS);
  assert.equal(zone.hostnames.get(foreign.id), ['other.example.com']);
  const status = await eventually('the status says that it is held', async () => {
    const found = await statusOf(world, namespace);
    return found?.holding === 1 && found.fingerprintsSHA256?.length === 1 && found;
  });
  assert.equal([status.kind, status.object], ['CloudflareMTLS', `${zone.account}/${zone.zone}`]);
});

test('an authority and its fallback in one account agree on the hostnames of the CA certificate that both need', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { zone, calls } = there.fake;
  const { namespace } = await authorityWith(world, targetAt(there), newToken(there.fake), {
    secret: { name: 'pair' },
    fallback: { name: 'reserve' },
  });
  const targets = [targetAt(there, { hostnames: ['reserve.example.com'] })];
  const spec = { selfManaged: { commonName: `${namespace} reserve` }, trust: { targets } };
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'reserve' }, spec });
  const lists = () => zone.uploaded.map(({ id }) => [...(zone.hostnames.get(id) ?? [])].sort().join());
  const wanted = [HOSTS.join(), [...HOSTS, 'reserve.example.com'].join()];
  const agree = () =>
    eventually(
      'both are there, with the hostnames of both',
      () => lists().sort().join(';') === wanted.join(';'),
      60_000,
    );
  await agree();
  // A second look of either at what the other has written.
  for (const name of ['ca', 'reserve', 'ca', 'reserve']) {
    const written = calls.filter((call) => !call.startsWith('GET')).length;
    const read = calls.length;
    await patchAuthority(world, namespace, name, { spec: { limits: { maxDuration: `${24 + written + read}h` } } });
    await eventually('it is read again', () => calls.length > read);
    await agree();
    assert.is(calls.filter((call) => !call.startsWith('GET')).length, written, 'nothing is written again');
  }
});

test('the certificate beyond the quota is refused with the reason, before the call', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { zone, calls } = there.fake;
  for (let n = 0; n < 5; n++)
    zone.upload({ ca: true, certificates: (await makeCa(`other ${n}`)).certificate, name: '' });
  const { namespace } = await authorityWith(world, targetAt(there), newToken(there.fake));
  await untilSays(world, namespace, 'TrustTargetRefused', 'has 5 of 5 CA certificates, and 1 more are to be uploaded');
  assert.is(calls.filter((call) => call.startsWith('POST')).length, 0);
  zone.uploaded.splice(0, 1);
  await eventually('there is room', () => zone.uploaded.some(({ name }) => name.startsWith('certwheel-')), 60_000);
});

test('a new CA does not sign while Cloudflare has no room for it', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { zone } = there.fake;
  const full = targetAt(there, { maxCertificates: 1 });
  const { namespace, pair } = await authorityWith(world, full, newToken(there.fake));
  await create(world, clientCertificate(namespace, 'client', { duration: '1m' }));
  await untilReady(world, namespace, 'client');
  await eventually('the first CA is there', () => zone.uploaded.length === 1);
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa(`${namespace} v2`)));
  await untilSays(world, namespace, 'TrustTargetRefused', 'has 1 of 1 CA certificates');
  const revision = (await certificateStatus(world, namespace, 'client')).revision ?? 0;
  // A certificate of one minute is renewed twice in that time.
  await untilRevision(world, namespace, 'client-tls', revision + 2, 90_000);
  assert.is((await readSecret(world, namespace, 'client-tls'))?.leaf.issuer, pair.x509.subject);
  await patchAuthority(world, namespace, 'ca', { spec: { trust: { targets: [targetAt(there)] } } });
  await eventually('the new one signs', async () => {
    return (await readSecret(world, namespace, 'client-tls'))?.leaf.issuer !== pair.x509.subject;
  });
});

test('what is wrong is in the status of the target: token, permission, account, kind of key', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { fake } = there;
  const rows: [target: object, token: string, reason: string, says: string, spec?: object][] = [
    [targetAt(there), 'unknown', 'TrustTargetForbidden', 'permission SSL and Certificates Write on account'],
    [
      targetAt(there),
      newToken(fake, { access: 'read' }),
      'TrustTargetForbidden',
      'Enterprise plan alone) was answered 403',
    ],
    [targetAt(there), newToken(fake, { status: 'expired' }), 'TrustTargetForbidden', 'is expired'],
    [targetAt(there, { account: 'f'.repeat(32) }), newToken(fake), 'TrustTargetForbidden', 'on account ffff'],
    [
      targetAt(there, { server: 'https://127.0.0.1:1' }),
      newToken(fake),
      'TrustTargetPending',
      "the controller's log says why",
    ],
    [
      ...([targetAt(there), newToken(fake), 'TrustTargetRefused', 'has one of Ed25519'] as const),
      { selfManaged: { commonName: 'ed', privateKey: { algorithm: 'Ed25519' } } },
    ],
  ];
  for (const [target, token, reason, says, spec] of rows) {
    const { namespace } = await authorityWith(world, target, token, spec);
    const { message } = await untilSays(world, namespace, reason, says);
    assert.not.match(message, token);
  }
});

test('another token is used at once, and hostnames that change are replaced', async () => {
  const { world } = await scene.get();
  const there = await cloudflare();
  const { zone } = there.fake;
  const { namespace } = await authorityWith(world, targetAt(there), 'unknown');
  await untilSays(world, namespace, 'TrustTargetForbidden', 'must be valid');
  await putToken({ world, namespace }, newToken(there.fake));
  const hostnames = () => zone.hostnames.get(zone.uploaded[0]?.id ?? '');
  await eventually('it is uploaded', () => hostnames()?.length === 2);
  const targets = [targetAt(there, { hostnames: ['api.example.com'] })];
  await patchAuthority(world, namespace, 'ca', { spec: { trust: { targets } } });
  await eventually('a hostname is gone', () => hostnames()?.length === 1);
  assert.is(zone.uploaded.length, 1);
});

test('a cluster authority has its token in the namespace of the controller, and leaves certificates of another one alone', async () => {
  const { world, namespace: home } = await scene.get();
  const there = await cloudflare();
  const { zone } = there.fake;
  await putToken({ world, namespace: home }, newToken(there.fake));
  for (const name of ['edge-one', 'edge-two']) await createClusterAuthority(world, name, [targetAt(there)]);
  await eventually('both are uploaded', () => zone.uploaded.length === 2);
  for (const name of ['edge-one', 'edge-two'])
    await eventually(
      `${name} says so`,
      async () => (await clusterStatus(world, name)).trust?.targets?.[0]?.holding === 1,
    );
  assert.is(new Set(zone.uploaded.map(({ name }) => name)).size, 2);
});

test.run();
