/** The CRLs in trust targets, as openssl takes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { opensslSays } from '../../unit/responder-world.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchAuthority, patchCertificate } from '../support/edits.ts';
import { authorityStatusOf, conditionOf, createAuthority, selfManaged } from '../support/objects.ts';
import { makeCa, makeCrl } from '../support/openssl.ts';
import { eventually } from '../support/world.ts';
import { clusterStatus, createClusterAuthority, inTeam, readConfigMap } from '../trust-targets/support.ts';
import { CRL, crlTargets, FLAGS, target } from './crl-targets.ts';

const { scene, issue, configMap, chainOf, verdict, crlCondition } = crlTargets();
test.after(scene.stop);

test('a target with crl has openssl refuse a client that is revoked, and is not written while nothing changes', async () => {
  const { world, namespace } = await scene.get();
  const spec = { revocation: {}, ...target('lists', { additionalFormats: [{ type: 'JKS' }] }) };
  spec.trust.targets.push({ name: 'broker', secret: { name: 'broker-lists' }, crl: { key: 'list.pem' } } as never);
  await createAuthority(world, selfManaged(namespace, 'listed', spec));
  const { serialNumber = '' } = await issue('bad', 'listed');
  await issue('good', 'listed');
  const first = await eventually('the target holds a CRL', async () => {
    const found = await configMap('lists');
    return found?.data?.['ca.crl'] !== undefined && found;
  });
  assert.match(await verdict('bad', first.data), 'client: OK');
  assert.ok(first.binaryData?.['truststore.jks'], 'the trust store stays');
  await sleep(3_000);
  assert.is((await configMap('lists'))?.metadata?.resourceVersion, first.metadata?.resourceVersion);

  const revoked = await chainOf('bad');
  const annotations = { [REVOKE_ANNOTATION]: `${serialNumber}=keyCompromise` };
  await patchCertificate(world, namespace, 'bad', { metadata: { annotations } });
  const after = await eventually('it lists the client', async () => {
    const found = await configMap('lists');
    return found?.data?.['ca.crl'] !== first.data?.['ca.crl'] && found;
  });
  const files = { ca: after.data?.['ca.crt'] ?? '', crl: after.data?.['ca.crl'] ?? '', client: revoked };
  const verify = ['verify', '-crl_check_all', '-CAfile', 'ca', '-CRLfile', 'crl', 'client'];
  assert.match(await opensslSays(files, verify), 'certificate revoked');
  assert.match(await verdict('good', after.data), 'client: OK');
  await eventually('the Secret holds the same', async () => {
    const secret = await world.client.get(SECRETS, namespace, 'broker-lists');
    return Buffer.from(secret?.data?.['list.pem'] ?? '', 'base64').toString() === after.data?.['ca.crl'];
  });
  assert.is(await crlCondition('listed'), undefined);
});

test('revocations one after the other are no contest, and what another party removes comes back', async () => {
  const { world, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, 'often', { revocation: {}, ...target('often') }));
  const serials = [];
  for (const name of ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'])
    serials.push((await issue(name, 'often')).serialNumber ?? '');
  const seen = new Set<string | undefined>();
  for (const [at, serial] of serials.entries()) {
    const annotations = { [REVOKE_ANNOTATION]: serial };
    const before = (await configMap('often'))?.data?.['ca.crl'];
    seen.add(before);
    await patchCertificate(world, namespace, `c${at + 1}`, { metadata: { annotations } });
    await eventually('the next CRL is there', async () => (await configMap('often'))?.data?.['ca.crl'] !== before);
  }
  assert.ok(seen.size >= 5);
  const held = await configMap('often');
  await world.client.delete(CONFIG_MAPS, namespace, 'often');
  const again = await eventually('it is back', () => configMap('often'));
  assert.equal(again.data, held?.data);
  const { trust } = await authorityStatusOf(world, namespace, 'often');
  assert.equal([trust?.targets?.[0]?.holding, trust?.targets?.[0]?.waiting], [1, undefined]);
});

test('an intermediate needs the CRL of its root: without it the condition says so, and a CRL of another CA is refused', async () => {
  const { world, namespace } = await scene.get();
  const [root, stranger] = [await makeCa('the root'), await makeCa('a stranger')];
  const intermediate = await makeCa('the intermediate', { issuer: root });
  await putCaSecret(world, namespace, 'below-pair', pairData(intermediate));
  await createSecretAuthority(world, namespace, 'below', 'below-pair', { revocation: {}, ...target('below') });
  await issue('leaf', 'below');
  const alone = await eventually('it holds its own CRL', async () => {
    const found = await configMap('below');
    return found?.data?.['ca.crl'] !== undefined && found;
  });
  assert.match(await verdict('leaf', alone.data), 'unable to get certificate CRL');
  const missing = await eventually('the condition says so', () => crlCondition('below'));
  assert.is(missing.reason, 'CRLMissing');
  assert.match(missing.message, 'CN=the root');
  assert.match(missing.message, 'spec.revocation.crl.upper');

  const upper = [{ configMap: { name: 'root-crl', key: 'root.crl' } }];
  await patchAuthority(world, namespace, 'below', { spec: { revocation: { crl: { upper } } } });
  await eventually('what is not there is named', async () =>
    (await crlCondition('below'))?.message.includes('there is no such ConfigMap'),
  );
  const put = (data: object) =>
    world.client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'root-crl' }, ...data } as never);
  await put({ data: { 'root.crl': await makeCrl(stranger) } });
  await eventually('a CRL of another CA is refused', async () =>
    (await crlCondition('below'))?.message.includes('the CRL of CN=a stranger is not signed by a CA in the chain'),
  );
  await put({ data: { 'root.crl': await makeCrl(root) } });
  const whole = await eventually('both are there', async () => {
    const found = await configMap('below');
    return (found?.data?.['ca.crl'] ?? '').split(CRL).length === 3 && found;
  });
  assert.match(await verdict('leaf', whole.data), 'client: OK');
  await eventually('the condition is gone', async () => (await crlCondition('below')) === undefined);
});

test('a cluster authority writes the CRLs into each namespace, and a restart of the controller writes nothing', async () => {
  const { world, namespace: home, controller } = await scene.get();
  const root = await makeCa('cluster root');
  await putCaSecret(world, home, 'cluster-pair', pairData(await makeCa('cluster CA', { issuer: root })));
  await world.client.apply(CONFIG_MAPS, {
    metadata: { namespace: home, name: 'cluster-root-crl' },
    data: { 'ca.crl': await makeCrl(root) },
  } as never);
  const teams = [await world.namespace({ team: 'lists' }), await world.namespace({ team: 'lists' })];
  await createClusterAuthority(world, 'lists', [{ ...inTeam('lists'), crl: {} }], {
    ...{ selfManaged: undefined, secret: { name: 'cluster-pair' } },
    revocation: { crl: { upper: [{ configMap: { name: 'cluster-root-crl' } }] } },
  });
  const all = () => Promise.all(teams.map((each) => readConfigMap(world, each)));
  const held = await eventually('each holds both CRLs', async () => {
    const found = await all();
    return found.every((each) => (each?.data?.['ca.crl'] ?? '').split(CRL).length === 3) && found;
  });
  assert.is(held[0]?.data?.['ca.crl'], held[1]?.data?.['ca.crl']);
  await eventually(
    'it is ready',
    async () => conditionOf(await clusterStatus(world, 'lists'), 'Ready')?.status === 'True',
  );
  await sleep(2_000);
  const version = async () =>
    (await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'lists'))?.metadata?.resourceVersion;
  const before = [await version(), ...(await all())];
  await controller.stop();
  const again = await world.controller([...FLAGS, '--controller-namespace', home]);
  await sleep(6_000);
  assert.equal([await version(), ...(await all())], before);
  await again.stop();
});

test.run();
