/** A CA rotation waits for the servers that verify its clients, and for the objects that they read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS } from '../../../src/api/names.ts';
import { go } from '../../interop/servers/go.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import { FLAGS, putServerCa, startVerifier, type Verifying, verifierAt } from '../probes/verifier-world.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchAuthority } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { AT_ONCE, authorityStatusOf, clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

/** Longer than a probe and its backoff take. */
const PATIENCE_MS = 120_000;

const stateOf = ({ generations = [] }: AuthorityStatus, version: number) =>
  generations.find((each) => each.version === version)?.state;

test('no certificate of the new CA is issued until a server that reloads late trusts it, and the plan names the server', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const [v1, v2] = [await makeCa('Clients v1'), await makeCa('Clients v2')];
  const servers = new Map<string, Verifying>();
  for (const reader of [nginx, go]) {
    const server = await startVerifier(reader, v1.certificate);
    if (typeof server === 'string') console.error(`${reader.name} is left out: ${server}`);
    else servers.set(reader.name, server);
  }
  assert.ok(servers.size > 0, 'no server program is there');
  await world.controller([
    '--namespaces',
    namespace,
    '--trust-propagation',
    '1s',
    '--trust-targets',
    'configMaps',
    ...FLAGS,
  ]);
  await putServerCa(world, namespace);
  await putCaSecret(world, namespace, 'ca-pair', pairData(v1));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: {
      secret: { name: 'ca-pair' },
      caRotation: AT_ONCE,
      trust: {
        targets: [{ name: 'servers', configMap: { name: 'client-ca' }, requiredProof: 'Written' }],
        verifiers: [...servers].map(([name, { port }]) => verifierAt(name, port)),
      },
    },
  });
  await create(world, clientCertificate(namespace, 'client', { duration: '1m' }));
  await untilReady(world, namespace, 'client');
  const status = () => authorityStatusOf(world, namespace, 'ca');
  const bundle = async () => (await world.client.get(CONFIG_MAPS, namespace, 'client-ca'))?.data?.['ca.crt'] ?? '';
  await eventually('the target has the CA', async () => (await bundle()).includes('BEGIN CERTIFICATE'));

  await putCaSecret(world, namespace, 'ca-pair', pairData(v2));
  for (const [name, server] of servers) {
    const held = await eventually(
      `the rotation waits for ${name}`,
      async () => {
        const found = await status();
        const [next] = found.caRotation?.plan ?? [];
        return next?.reason === 'TrustNotProven' && next.waitsFor?.includes(`verifier ${name}`) && found;
      },
      PATIENCE_MS,
    );
    assert.is(stateOf(held, 2), 'Prepared');
    assert.match(conditionOf(held, 'Rotating')?.message ?? '', `verifier ${name}`);
    await sleep(QUIET_MS);
    assert.is((await status()).activeGeneration, 1, 'the old CA signs on');
    // The server loads what the target has, as an operator who mounts it would see.
    await server.trust(await bundle());
  }
  await eventually('the new CA signs', async () => (await status()).activeGeneration === 2, PATIENCE_MS);
  await eventually('the old CA is gone', async () => stateOf(await status(), 1) === 'Retired', PATIENCE_MS);
  await eventually('the target has the new CA alone', async () => {
    return (await bundle()).match(/BEGIN CERTIFICATE/g)?.length === 1;
  });
});

test('a target that can not be written keeps a new CA from being trusted, until it is taken out of the spec', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await world.client.apply(CONFIG_MAPS, {
    metadata: { namespace, name: 'client-ca' },
    data: { 'ca.crt': 'of others' },
  });
  await world.controller(['--namespaces', namespace, '--trust-propagation', '1s', '--trust-targets', 'configMaps']);
  await putCaSecret(world, namespace, 'ca-pair', pairData(await makeCa('v1')));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: {
      secret: { name: 'ca-pair' },
      caRotation: AT_ONCE,
      trust: { targets: [{ name: 'servers', configMap: { name: 'client-ca' }, requiredProof: 'Written' }] },
    },
  });
  await create(world, clientCertificate(namespace, 'client', { duration: '1m' }));
  await untilReady(world, namespace, 'client');
  await putCaSecret(world, namespace, 'ca-pair', pairData(await makeCa('v2')));
  const status = () => authorityStatusOf(world, namespace, 'ca');
  await eventually('the rotation names the object', async () => {
    const [next] = (await status()).caRotation?.plan ?? [];
    return next?.reason === 'TrustNotProven' && next.waitsFor?.includes('client-ca');
  });
  await patchAuthority(world, namespace, 'ca', { spec: { trust: null } });
  await eventually('the new CA signs', async () => (await status()).activeGeneration === 2, PATIENCE_MS);
});

test.run();
