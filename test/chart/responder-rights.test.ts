/** What the controller and the responder may do for CRLs, with the rights of the chart and under its admission policies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RESPONDER_KEYS_NAME } from '../../src/api/books-names.ts';
import { CONFIG_MAPS, SECRETS } from '../../src/api/names.ts';
import { systemClock } from '../../src/clock.ts';
import { ApiError } from '../../src/errors.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { CrlWorld } from '../e2e/revocation/crl-world.ts';
import { startRevocationResponder } from '../e2e/support/responder-process.ts';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { root } from '../pki/make.ts';
import { onStop } from '../teardown.ts';
import { hence, ocspVerdict, revoked } from '../unit/responder-world.ts';
import { accountKubeconfig } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const shared = oneWorld(
  { own: true },
  async (cluster) => void (await install(cluster, { responder: { enabled: true } })),
);
test.after(shared.stop);

async function clientOf(world: World, account: string): Promise<{ client: KubeClient; kubeconfig: string }> {
  const kubeconfig = await accountKubeconfig(world.cluster, account);
  const connections = new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: QUIET });
  const client = new KubeClient({ connections, clock: systemClock });
  onStop(() => client.close());
  return { client, kubeconfig };
}

async function refusalOf(asked: Promise<unknown>): Promise<ApiError> {
  const error = await asked.then(
    () => 'it was allowed',
    (thrown: unknown) => thrown,
  );
  assert.instance(error, ApiError, String(error));
  assert.ok([403, 422].includes((error as ApiError).status), String(error));
  return error as ApiError;
}

test('CRLs and keys are published with the rights of the controller, and served with those of the responder', async () => {
  const world = await shared.get();
  const { client } = await clientOf(world, 'certwheel');
  const { kubeconfig } = await clientOf(world, 'certwheel-responder');
  const ca = await root({ notBefore: hence(-48), notAfter: hence(4_800) });
  const authority = new CrlWorld({ ...world, client }, NAMESPACE, ca);
  const responder = await startRevocationResponder(world, NAMESPACE, kubeconfig);
  authority.url = responder.url;
  const bad = await authority.issue();
  assert.equal((await authority.look()).problems, []);
  authority.revoked = [revoked(bad)];
  authority.aheadMs = 10_000;
  const { problems, listed } = await authority.look();
  assert.equal([problems, [...listed]], [[], [bad.certificate.serialNumber]]);
  await responder.sync();
  await eventually('the responder says that it is revoked', async () => {
    const text = await ocspVerdict(`${responder.url}/ocsp/${authority.uid}/v1`, [bad], [], ca);
    return text.includes('Cert Status: revoked');
  });
  // At half of their life the keys are replaced, and in the end all of it is removed.
  authority.aheadMs = 90 * 3_600_000;
  assert.equal((await authority.look()).problems, []);
  await authority.crls.withdraw(authority.uid);
});

test('the controller writes no other ConfigMap in its namespace, and no CRL in another', async () => {
  const world = await shared.get();
  const { client } = await clientOf(world, 'certwheel');
  const label = (uid: string) => ({ 'certwheel.io/crl-of': uid });
  const wrong = [
    { namespace: NAMESPACE, name: 'other' },
    { namespace: NAMESPACE, name: 'certwheel-crl-abc-v1' },
    { namespace: NAMESPACE, name: 'certwheel-crl-abc-v1', labels: label('def') },
    { namespace: NAMESPACE, name: 'certwheel-crl-abc-v1-x', labels: label('abc') },
    { namespace: 'default', name: 'certwheel-crl-abc-v1', labels: label('abc') },
  ];
  for (const metadata of wrong) await refusalOf(client.apply(CONFIG_MAPS, { metadata, data: {} }));
  await world.client.create(CONFIG_MAPS, { metadata: { namespace: NAMESPACE, name: 'theirs' }, data: {} });
  await refusalOf(client.delete(CONFIG_MAPS, NAMESPACE, 'theirs'));
});

test('the responder changes nothing, and reads no Secret', async () => {
  const world = await shared.get();
  const { client } = await clientOf(world, 'certwheel-responder');
  const metadata = { namespace: NAMESPACE, name: 'certwheel-crl-abc-v1', labels: { 'certwheel.io/crl-of': 'abc' } };
  await refusalOf(client.apply(CONFIG_MAPS, { metadata, data: {} }));
  await refusalOf(client.get(SECRETS, NAMESPACE, RESPONDER_KEYS_NAME));
  await refusalOf(client.list(SECRETS, { namespace: NAMESPACE }));
  await refusalOf(client.list(CONFIG_MAPS, { namespace: 'default' }));
});

test.run();
