/** spec.revocation and the annotations that ask to revoke, for a CA whose key Certwheel holds: the CRL is the witness. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  NAMESPACES,
} from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION, REVOKE_ISSUED_BEFORE_ANNOTATION } from '../../../src/api/revocation.ts';
import { openssl } from '../../pki/openssl.ts';
import { patchAuthority, patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
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
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { listedIn, untilListed } from './listed.ts';

const scene = oneScene({ isHome: true, authority: false });
test.after(scene.stop);

/** An authority with that spec.revocation, and one of its certificates. */
async function issued(name: string, revocation: object, spec: Record<string, unknown> = {}) {
  const { world, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, name, { revocation }));
  await create(world, clientCertificate(namespace, name, { authorityRef: { name }, ...spec }));
  const { serialNumber: serial = '' } = await untilReady(world, namespace, name);
  return { world, namespace, serial, uid: await uidOf(world, namespace, name) };
}

async function uidOf({ client }: World, namespace: string, name: string): Promise<string> {
  return (await client.get(CERTIFICATE_AUTHORITIES, namespace, name))?.metadata?.uid ?? '';
}

test('superseded: Revoke revokes the former certificate once delay has passed, and not the present one', async () => {
  const { world, namespace, serial, uid } = await issued('former', { superseded: 'Revoke', delay: '3s' });
  await renewAt(world, namespace, 'former');
  const { annotations } = await untilRevision(world, namespace, 'former-tls', 2);
  assert.is(await untilListed(world, namespace, uid, serial), 'Superseded');
  const listed = await listedIn(world, namespace, uid);
  assert.equal([...listed.keys()], [serial]);
  const { revocation } = await authorityStatusOf(world, namespace, 'former');
  assert.is(revocation?.crls?.[0]?.entries, 1);
  const waitedMs =
    Date.parse(revocation?.crls?.[0]?.thisUpdate ?? '') +
    60_000 -
    Date.parse(annotations['certwheel.io/issued-at'] ?? '');
  assert.ok(waitedMs >= 2_000, `revoked ${waitedMs} ms after its successor was published`);
});

test('deleted: Revoke holds a ClientCertificate that is deleted until its certificates are noted down', async () => {
  const { world, namespace, serial, uid } = await issued('leaver', { deleted: 'Revoke' });
  const { metadata } = (await world.client.get(CLIENT_CERTIFICATES, namespace, 'leaver')) ?? {};
  assert.equal(metadata?.finalizers, ['certwheel.io/revocation']);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'leaver');
  await eventually(
    'it is gone',
    async () => (await world.client.get(CLIENT_CERTIFICATES, namespace, 'leaver')) === undefined,
  );
  assert.is(await untilListed(world, namespace, uid, serial), 'Cessation Of Operation');
});

test('the finalizer goes when the policy does, and nothing is revoked', async () => {
  const { world, namespace, uid } = await issued('pardoned', { deleted: 'Revoke' });
  await patchAuthority(world, namespace, 'pardoned', { spec: { revocation: { deleted: 'Keep' } } });
  await eventually('no finalizer', async () => {
    const found = await world.client.get(CLIENT_CERTIFICATES, namespace, 'pardoned');
    return found?.metadata?.finalizers === undefined;
  });
  assert.is((await listedIn(world, namespace, uid)).size, 0);
});

test('a namespace that ends with certificates to revoke is gone within a minute', async () => {
  const { world, namespace: home } = await scene.get();
  const ending = await world.namespace();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'shared' },
    spec: {
      selfManaged: { commonName: 'Shared' },
      allowedNamespaces: { names: [ending] },
      revocation: { deleted: 'Revoke' },
    },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'shared' };
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await create(world, clientCertificate(ending, name, { authorityRef }));
  const all = await Promise.all(names.map((name) => untilReady(world, ending, name)));
  const uid = (await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'shared'))?.metadata?.uid ?? '';
  // No namespace controller runs here: what it does is done by hand, in its order.
  await world.client.delete(NAMESPACES, undefined, ending);
  await Promise.all(names.map((name) => world.client.delete(CLIENT_CERTIFICATES, ending, name)));
  await eventually('all are gone', async () => {
    const { items } = await world.client.list(CLIENT_CERTIFICATES, { namespace: ending });
    return items.length === 0;
  });
  for (const { serialNumber = '' } of all) await untilListed(world, home, uid, serialNumber);
});

test('a compromised key is replaced too, with rotationPolicy Never', async () => {
  const { world, namespace, serial, uid } = await issued('stolen', {}, { privateKey: { rotationPolicy: 'Never' } });
  const before = await readSecret(world, namespace, 'stolen-tls');
  const annotations = { [REVOKE_ANNOTATION]: `${serial.toUpperCase().replace(/..(?=.)/g, '$&:')}=keyCompromise` };
  await patchCertificate(world, namespace, 'stolen', { metadata: { annotations } });
  assert.is(await untilListed(world, namespace, uid, serial), 'Key Compromise');
  const after = await untilRevision(world, namespace, 'stolen-tls', 2);
  assert.is.not(after.key, before?.key);
  assert.is(conditionOf(await statusOf(world, namespace, 'stolen'), 'Ready')?.status, 'True');
});

test('revoke-issued-before revokes what was issued before, once', async () => {
  const { world, namespace, serial, uid } = await issued('audited', {});
  // A ledger knows whole seconds.
  await sleep(1_100);
  await renewAt(world, namespace, 'audited');
  const second = await untilRevision(world, namespace, 'audited-tls', 2);
  const issuedAt = Date.parse(second.annotations['certwheel.io/issued-at'] ?? '');
  const moment = new Date(issuedAt).toISOString();
  await patchCertificate(world, namespace, 'audited', {
    metadata: { annotations: { [REVOKE_ISSUED_BEFORE_ANNOTATION]: `${moment}=affiliationChanged` } },
  });
  assert.is(await untilListed(world, namespace, uid, serial), 'Affiliation Changed');
  assert.equal([...(await listedIn(world, namespace, uid)).keys()], [serial]);
  const status = await eventually('status says so', async () => {
    const now = await statusOf(world, namespace, 'audited');
    return now.revocations?.[0]?.state === 'Revoked' && now;
  });
  assert.is(status.revision, 2);
});

test('policyViolation: Revoke revokes a certificate that the issuance policy denies by now, and it is not Ready', async () => {
  const { world, namespace } = await scene.get();
  const rules = (commonNames: string[]) => [{ name: 'names', commonNames }];
  await createAuthority(
    world,
    selfManaged(namespace, 'strict', {
      revocation: { policyViolation: 'Revoke', delay: '0s' },
      issuancePolicy: { rules: rules(['strict']) },
    }),
  );
  await create(world, clientCertificate(namespace, 'strict', { authorityRef: { name: 'strict' } }));
  const { serialNumber: serial = '' } = await untilReady(world, namespace, 'strict');
  const uid = await uidOf(world, namespace, 'strict');
  await patchAuthority(world, namespace, 'strict', { spec: { issuancePolicy: { rules: rules(['other']) } } });
  assert.is(await untilListed(world, namespace, uid, serial), 'Cessation Of Operation');
  await untilReady(world, namespace, 'strict', { status: 'False', reason: 'Revoked' });
  // Allowed again, it gets another one.
  await patchAuthority(world, namespace, 'strict', { spec: { issuancePolicy: { rules: rules(['strict']) } } });
  await untilReady(world, namespace, 'strict');
  assert.is.not((await statusOf(world, namespace, 'strict')).serialNumber, serial);
});

test('the example is an authority whose certificates say where their CRL and their OCSP responder are', async () => {
  const { world } = await scene.get();
  await world.cluster.kubectl(['apply', '-f', join(import.meta.dirname, '../../../examples/revocation')]);
  const namespace = 'certwheel-revocation';
  await untilReady(world, namespace, 'acme-inc');
  const uid = await uidOf(world, namespace, 'partners');
  const mounted = await readSecret(world, namespace, 'acme-inc-tls');
  const { out } = openssl(['x509', '-noout', '-text', '-in', '{leaf}'], { leaf: mounted?.chain ?? '' });
  const responder = 'http://certwheel-responder.certwheel-system.svc';
  assert.match(out, `URI:${responder}/crl/${uid}/v1.crl`);
  assert.match(out, `OCSP - URI:${responder}/ocsp/${uid}/v1`);
  await eventually('its CRL is there', async () => {
    const { revocation } = await authorityStatusOf(world, namespace, 'partners');
    return revocation?.crls?.length === 1;
  });
});

test('an annotation that can not be read is said to be ignored', async () => {
  const { world, namespace } = await issued('typo', {});
  await patchCertificate(world, namespace, 'typo', { metadata: { annotations: { [REVOKE_ANNOTATION]: 'xyz' } } });
  const { conditions = [] } = await untilReady(world, namespace, 'typo', { reason: 'RevokeInvalid' });
  assert.match(conditions[0]?.message ?? '', 'certwheel.io/revoke "xyz": write a serial number and a reason');
});

test.run();
