import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
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
import { faultsOfHistory, issuances, watchSecrets } from '../support/secret-witness.ts';
import { untilAuthority } from './place.ts';
import { oneVaultWorld, vaultSpec } from './vault-world.ts';

const LIFE_MS = 60_000;
/** Longer than a certificate lives, and long enough that its successor by the fallback falls due as well. */
const OUTAGE_MS = 100_000;
const NAMES = ['one', 'two', 'three', 'four'];
/** In the time of the outage, one before it and two after it: each is issued by the fallback at most every 50 s. */
const MOST_ISSUES = 8;

const worlds = oneVaultWorld();
test.after(worlds.stop);

test('while Vault is away for longer than its certificates live, the fallback issues them and none expires', async () => {
  const shared = await worlds.get();
  const { world, vault, controller } = shared;
  const namespace = await shared.namespaceWithToken();
  const second = await world.controller(['--allow-loopback-authorities']);
  await createAuthority(world, selfManaged(namespace, 'reserve'));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { vault: vaultSpec(vault), fallback: { name: 'reserve' } },
  });
  await untilFallback('True');
  const secrets = await watchSecrets(world, namespace);
  for (const name of NAMES) await create(world, clientCertificate(namespace, name, { duration: '1m' }));
  for (const name of NAMES) await untilReady(world, namespace, name);
  const before = await readSecret(world, namespace, 'one-tls');
  assert.is(anchorsIn(before?.bundle), 2, 'ca.crt holds the CA of both beforehand');
  const [vaultIssuer, trust] = [before?.leaf.issuer, before?.bundle];

  await vault.halt();
  try {
    await sleep(OUTAGE_MS / 2);
    // A restart in the middle, after which Vault can't say what its CA is.
    await controller.kill();
    await world.controller(['--allow-loopback-authorities']);
    await sleep(OUTAGE_MS / 2);
    for (const name of NAMES) {
      assert.is((await statusOf(world, namespace, name)).issuedBy, 'CertificateAuthority/reserve');
      const secret = await readSecret(world, namespace, `${name}-tls`);
      assert.is(secret?.bundle, trust, 'the trust is the same as before');
      assert.is(secret?.annotations['certwheel.io/authority'], 'CertificateAuthority/ca');
    }
  } finally {
    await vault.start();
  }
  await untilAuthority({ world, namespace });
  for (const name of NAMES)
    await eventually(
      `${name} comes from Vault again`,
      async () => (await readSecret(world, namespace, `${name}-tls`))?.leaf.issuer === vaultIssuer,
      LIFE_MS,
    );
  for (const name of NAMES) {
    const versions = secrets.versions(`${name}-tls`);
    assert.equal(faultsOfHistory(versions), [], name);
    const count = issuances(versions).length;
    assert.ok(count <= MOST_ISSUES, `${name} was issued ${count} times`);
    await eventually(
      `the status of ${name} names no fallback`,
      async () => (await statusOf(world, namespace, name)).issuedBy === undefined,
    );
  }
  await second.stop();

  async function untilFallback(status: string) {
    await eventually(`FallbackReady is ${status}`, async () => {
      const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'FallbackReady');
      return found?.status === status;
    });
  }
});

function anchorsIn(bundle = ''): number {
  return bundle.split('BEGIN CERTIFICATE').length - 1;
}

test.run();
