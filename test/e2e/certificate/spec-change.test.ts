import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../../../src/api/parse.ts';
import { patchCertificate } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import {
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import {
  faultsOfHistory,
  issuances,
  type StoredCertificate,
  serialOf,
  untilSeen,
  watchCertificates,
  watchSecrets,
} from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';

interface Change {
  readonly spec: object;
  /** What openssl or node:crypto must show of the certificate afterwards. */
  readonly shows: RegExp;
}

/** Changes that need another certificate, each on a certificate of its own. */
const CHANGES: Readonly<Record<string, Change>> = {
  'common-name': { spec: { commonName: 'somebody-else' }, shows: /CN=somebody-else/ },
  organization: { spec: { subject: { organizations: ['Payments'] } }, shows: /O=Payments/ },
  'dns-name': { spec: { dnsNames: ['one.example.com', 'two.example.com'] }, shows: /DNS:two\.example\.com/ },
  uri: { spec: { uris: ['spiffe://example.com/ns/a/sa/b'] }, shows: /URI:spiffe:\/\/example\.com\/ns\/a\/sa\/b/ },
  usages: {
    spec: { usages: ['digital signature', 'client auth', 'server auth'] },
    shows: /1\.3\.6\.1\.5\.5\.7\.3\.1,/,
  },
  algorithm: { spec: { privateKey: { algorithm: 'Ed25519' } }, shows: /key ed25519/ },
  size: { spec: { privateKey: { size: 384 } }, shows: /key ec secp384r1/ },
  duration: { spec: { duration: '2h' }, shows: /lives 2 hours/ },
  authority: { spec: { authorityRef: { name: 'other' } }, shows: /issuer CN=Test other v1/ },
};

const scene = oneScene({}, async ({ world, namespace }) => {
  const secrets = await watchSecrets(world, namespace);
  const certificates = await watchCertificates(world, namespace);
  await createAuthority(world, selfManaged(namespace, 'other'));
  const names = [...Object.keys(CHANGES), 'idle', 'template', 'deletion'];
  await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name))));
  await Promise.all(names.map((name) => untilReady(world, namespace, name)));
  return { secrets, certificates };
});
test.after(scene.stop);

/** Every field that CHANGES alters, in one text. */
function portrait({ leaf }: NonNullable<Awaited<ReturnType<typeof readSecret>>>): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  // Rounded, since a certificate is backdated by up to a minute.
  const hours = Math.round((leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 3_600_000);
  return [
    leaf.subject,
    leaf.subjectAltName,
    `${leaf.keyUsage?.join(',')},`,
    `key ${asymmetricKeyType} ${asymmetricKeyDetails?.namedCurve}`,
    `lives ${hours} hours`,
    `issuer ${leaf.issuer}`,
  ].join('\n');
}

for (const [name, { spec, shows }] of Object.entries(CHANGES)) {
  test(`a change of the ${name} re-issues at once, and only once`, async () => {
    const { world, controller, namespace, secrets, certificates } = await scene.get();
    const before = await readSecret(world, namespace, `${name}-tls`);
    assert.ok(before);
    assert.not.match(portrait(before), shows);
    const changed = await patchCertificate(world, namespace, name, { spec });
    await untilReady(world, namespace, name, {}, 5_000);
    const after = await readSecret(world, namespace, `${name}-tls`);
    assert.ok(after);
    assert.match(portrait(after), shows);
    await untilSeen(secrets, `${name}-tls`, 2);
    const versions = secrets.versions(`${name}-tls`);
    assert.equal(faultsOfHistory(versions), []);
    assert.is(issuances(versions).length, 2);
    assert.is(signatures(controller, namespace, name), 2);
    await opensslAccepts(after.object);
    const status = await statusOf(world, namespace, name);
    assert.is(status.observedGeneration, changed.metadata?.generation);
    assert.is(status.serialNumber, serialOf(after.object));
    assertAlwaysReady(certificates, secrets, name);
  });
}

/**
 * Ready never went away, since the certificate before was valid all the time; and what status said of a generation was
 * true of the Secret at that moment. Both are of one etcd, so their versions have one order.
 */
function assertAlwaysReady(told: Witness<StoredCertificate>, secrets: Witness, name: string): void {
  const versions = told.versions(name).map(({ object }) => object);
  for (const object of versions.slice(versions.findIndex((each) => readyOf(each) === 'True'))) {
    assert.is(readyOf(object), 'True', JSON.stringify(object.status));
    const { observedGeneration, serialNumber } = object.status ?? {};
    const held = secrets.versions(`${name}-tls`).findLast((each) => versionOf(each.object) < versionOf(object));
    if (observedGeneration === object.metadata?.generation) assert.is(serialNumber, serialOf(held?.object));
  }
}

function versionOf({ metadata }: RawObject): bigint {
  return BigInt(metadata?.resourceVersion ?? 0);
}

function readyOf(object: StoredCertificate): string | undefined {
  return object.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

test('each of these changes writes one event, with its reason', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const name of Object.keys(CHANGES))
    await eventually(`${name} is told of`, async () => (await eventsOf(world, namespace, name)).length >= 1);
  // No second event follows.
  await sleep(QUIET_MS);
  for (const name of Object.keys(CHANGES)) {
    const told = (await eventsOf(world, namespace, name)).map(({ reason, note }) => `${reason} ${note.split(':')[0]}`);
    assert.is(told.length, 1, told.join('\n'));
    assert.is(told[0], `Renewed ${name === 'authority' ? 'AuthorityChanged' : 'SpecChanged'}`);
    assert.is(signatures(controller, namespace, name), 2);
  }
});

test('a change that is not in the certificate issues nothing, and writes no Secret', async () => {
  const { world, controller, namespace } = await scene.get();
  const before = await readSecret(world, namespace, 'idle-tls');
  await patchCertificate(world, namespace, 'idle', { metadata: { labels: { team: 'payments' } } });
  await patchCertificate(world, namespace, 'idle', { metadata: { annotations: { note: 'hello' } } });
  // The order of usages doesn't count.
  await patchCertificate(world, namespace, 'idle', { spec: { usages: ['client auth', 'digital signature'] } });
  const renewalTime = (await untilReady(world, namespace, 'idle')).renewalTime;
  // This only moves the next renewal.
  await patchCertificate(world, namespace, 'idle', { spec: { renewBefore: '1h' } });
  const status = await untilReady(world, namespace, 'idle');
  assert.ok((status.renewalTime ?? '') > (renewalTime ?? ''));
  const after = await readSecret(world, namespace, 'idle-tls');
  assert.is(after?.object.metadata?.resourceVersion, before?.object.metadata?.resourceVersion);
  assert.is(signatures(controller, namespace, 'idle'), 1);
});

test('secretTemplate is written to the Secret and removed again, and the certificate is kept', async () => {
  const { world, namespace, secrets } = await scene.get();
  const patchTemplate = async (secretTemplate: object | null) => {
    await patchCertificate(world, namespace, 'template', { spec: { secretTemplate } });
    await untilReady(world, namespace, 'template', {}, 5_000);
    return readSecret(world, namespace, 'template-tls');
  };
  const labels = { team: 'payments', tier: 'one' };
  const first = await patchTemplate({ labels, annotations: { 'example.com/reload': 'true' } });
  assert.is(first?.labels.team, 'payments');
  assert.is(first?.annotations['example.com/reload'], 'true');
  const second = await patchTemplate({ labels: { team: 'billing', tier: null }, annotations: null });
  assert.is(second?.labels.team, 'billing');
  assert.is(second?.labels.tier, undefined);
  assert.is(second?.annotations['example.com/reload'], undefined);
  const third = await patchTemplate(null);
  assert.equal(Object.keys(third?.labels ?? {}), ['certwheel.io/certificate-name']);
  assert.is(third?.leaf.serialNumber, first?.leaf.serialNumber);
  assert.is((await statusOf(world, namespace, 'template')).revision, 1);
  assert.equal(faultsOfHistory(secrets.versions('template-tls')), []);
});

test('deletionPolicy adds and removes the owner reference, and the certificate is kept', async () => {
  const { world, namespace } = await scene.get();
  const { uid } = (await patchCertificate(world, namespace, 'deletion', {})).metadata ?? {};
  const ownersUnder = async (deletionPolicy: string) => {
    await patchCertificate(world, namespace, 'deletion', { spec: { deletionPolicy } });
    await untilReady(world, namespace, 'deletion', {}, 5_000);
    const { object } = (await readSecret(world, namespace, 'deletion-tls')) ?? {};
    return object?.metadata?.ownerReferences?.map((owner) => owner.uid) ?? [];
  };
  assert.equal(await ownersUnder('Retain'), []);
  assert.equal(await ownersUnder('Delete'), [uid]);
  assert.is((await statusOf(world, namespace, 'deletion')).revision, 1);
});

test.run();
