/** Another CA behind an Issuer of cert-manager, which signs with it from one request to the next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, ISSUERS, SECRETS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { prepareCertManager } from '../backends/servers/cert-manager.ts';
import { createSecret, renewAt } from '../support/edits.ts';
import { eventually, PATIENCE_MS, QUIET_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { AT_ONCE, readSecret, statusOf } from '../support/objects.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { underTraffic } from './under-traffic.ts';

const worlds = oneWorld();
const shared = lazily(async () => {
  const world = await worlds.get();
  const certManager = await prepareCertManager(world.cluster);
  onStop(certManager.stop);
  console.log(`# cert-manager ${certManager.version}`);
  await certManager.start({ approver: true });
  await world.controller();
  return world;
});
test.after(worlds.stop);

const MEMBERS = ['server', 'alice', 'bob'];
/** In the seconds that the test takes, by a backoff that begins with a second. */
const MOST_ATTEMPTS = 8;
const SPEC = { duration: '10m', usages: ['digital signature', 'client auth', 'server auth'] };

for (const isGiven of [false, true])
  test(`another CA of an issuer, ${isGiven ? 'with both CAs in the trust bundle' : 'which states its CA with each certificate'}: no handshake fails`, async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const [former, next] = [await makeCa('Clients 2026'), await makeCa('Clients 2027')];
    await createSecret(world, namespace, 'pair', { type: 'kubernetes.io/tls', data: tlsData(former) });
    const issuer = { metadata: { namespace, name: 'issuer' }, spec: { ca: { secretName: 'pair' } } };
    await world.client.create(ISSUERS, issuer);
    const inline = (...cas: (typeof former)[]) => ({
      trustBundle: { inline: cas.map((each) => each.certificate).join('') },
    });
    const certManager = { issuerRef: { name: 'issuer' }, ...(isGiven ? inline(former) : {}) };
    const caRotation = { ...AT_ONCE, propagation: '1s' };
    const authority = { metadata: { namespace, name: 'ca' }, spec: { certManager, caRotation } };
    await world.client.create(CERTIFICATE_AUTHORITIES, authority);
    const secrets = await watchSecrets(world, namespace);
    const place = await underTraffic(world, namespace, SPEC);
    await place.until('Active');

    if (isGiven) await place.setSpec({ certManager: { ...certManager, ...inline(former, next) } });
    await world.client.apply(SECRETS, {
      metadata: { namespace, name: 'pair' },
      type: 'kubernetes.io/tls',
      data: tlsData(next),
    });
    const bundleOf = async (name: string) => (await readSecret(world, namespace, `${name}-tls`))?.bundle ?? '';
    const issuerOf = async (name: string) => (await readSecret(world, namespace, `${name}-tls`))?.leaf.issuer;
    // cert-manager reads the Secret of its issuer when it hears of the change.
    await eventually(
      'all certificates come from the next CA',
      async () => {
        for (const name of MEMBERS)
          if ((await issuerOf(name)) !== 'CN=Clients 2027') await renewAt(world, namespace, name);
        const found = await Promise.all(MEMBERS.map(issuerOf));
        return found.every((each) => each === 'CN=Clients 2027');
      },
      2 * PATIENCE_MS,
    );
    if (isGiven) await place.setSpec({ certManager: { ...certManager, ...inline(next) } });
    await place.until('Retired', 'Active');
    for (const name of MEMBERS)
      await eventually(`${name} trusts the next CA alone`, async () => {
        return (await bundleOf(name)).trim() === next.certificate.trim();
      });
    await place.end();
    for (const name of MEMBERS) assert.equal(faultsOfHistory(secrets.versions(`${name}-tls`)), [], name);
  });

test('an issuer that goes on with the CA which its trust bundle lost is asked by the backoff of a failure, and no Secret changes', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const [former, next] = [await makeCa('Lost 2026'), await makeCa('Lost 2027')];
  await createSecret(world, namespace, 'pair', { type: 'kubernetes.io/tls', data: tlsData(former) });
  await world.client.create(ISSUERS, { metadata: { namespace, name: 'issuer' }, spec: { ca: { secretName: 'pair' } } });
  const stating = (...cas: (typeof former)[]) => ({
    certManager: {
      issuerRef: { name: 'issuer' },
      trustBundle: { inline: cas.map((each) => each.certificate).join('') },
    },
  });
  const caRotation = { ...AT_ONCE, propagation: '1s' };
  const authority = { metadata: { namespace, name: 'ca' }, spec: { ...stating(former), caRotation } };
  await world.client.create(CERTIFICATE_AUTHORITIES, authority);
  const place = await underTraffic(world, namespace, SPEC);
  await place.until('Active');
  await place.setSpec(stating(former, next));
  await place.until('Active', 'Active');
  const secretOf = (name: string) => readSecret(world, namespace, `${name}-tls`);
  const serials = () => Promise.all(MEMBERS.map(async (name) => (await secretOf(name))?.leaf.serialNumber));
  const before = await serials();
  await place.setSpec(stating(next));
  await place.until('Retiring', 'Active');
  for (const name of MEMBERS)
    await eventually(`${name} says why`, async () => {
      const { lastFailure } = await statusOf(world, namespace, name);
      return lastFailure?.reason === 'InvalidAnswer' && /which it states no more/.test(lastFailure.message ?? '');
    });
  await sleep(QUIET_MS);
  for (const name of MEMBERS) {
    const { attempts = 0 } = (await statusOf(world, namespace, name)).lastFailure ?? {};
    assert.ok(attempts > 0 && attempts < MOST_ATTEMPTS, `${name}: ${attempts} attempts`);
  }
  assert.equal(await serials(), before);

  await world.client.apply(SECRETS, {
    metadata: { namespace, name: 'pair' },
    type: 'kubernetes.io/tls',
    data: tlsData(next),
  });
  await eventually(
    'all certificates come from the next CA',
    async () => {
      for (const name of MEMBERS)
        if ((await secretOf(name))?.leaf.issuer !== 'CN=Lost 2027') await renewAt(world, namespace, name);
      const found = await Promise.all(MEMBERS.map(secretOf));
      return found.every((each) => each?.leaf.issuer === 'CN=Lost 2027');
    },
    2 * PATIENCE_MS,
  );
  await place.until('Retired', 'Active');
  await place.end();
});

test.run();
