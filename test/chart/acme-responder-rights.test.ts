/** What the controller may do for the ACME responder, with the rights of the chart and under its admission policies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ACME_ACCOUNTS_NAME, CONFIG_MAPS } from '../../src/api/names.ts';
import { Http01 } from '../../src/backends/acme/solvers/http01.ts';
import { systemClock } from '../../src/clock.ts';
import { ApiError, CertwheelError } from '../../src/errors.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { clusterAccess } from '../../src/wiring/cluster-access.ts';
import { depsOf } from '../e2e/backends/acme-dns-world.ts';
import { oneWorld } from '../e2e/support/world.ts';
import { onStop } from '../teardown.ts';
import { accountKubeconfig } from './support/account.ts';
import { helm, install, NAMESPACE, values } from './support/helm.ts';

const { signal } = new AbortController();
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const VALUES = { acmeResponder: { enabled: true }, trustTargets: { configMaps: true } };

const shared = oneWorld({ own: true }, async (cluster) => void (await install(cluster, VALUES)));
test.after(shared.stop);

/** As the controller's account: its client, and what presenting a challenge comes to. */
async function asController() {
  const { cluster } = await shared.get();
  const kubeconfig = await accountKubeconfig(cluster);
  const client = new KubeClient({
    connections: new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: QUIET }),
    clock: systemClock,
  });
  onStop(() => client.close());
  const present = async (name: string) => {
    const solver = new Http01([{}], { ...depsOf(), ...clusterAccess(client, NAMESPACE, () => {}), name }, 1);
    const challenge = { domain: 'localhost', token: 'token', thumbprint: 'a'.repeat(43), keyAuthorization: 'token.a' };
    return solver.present(challenge, signal).then(
      () => '',
      (error: unknown) => (error instanceof CertwheelError ? error.code : String(error)),
    );
  };
  return { client, present };
}

test('it writes the one ConfigMap, and no other in its namespace', async () => {
  const { client, present } = await asController();
  // The first time the responder can't know it yet.
  assert.is(await present('production'), 'ChallengeFailed');
  assert.is(await present('staging'), 'ChallengeFailed');
  assert.is(await present('production'), '');
  const { client: admin } = await shared.get();
  const map = await admin.get(CONFIG_MAPS, NAMESPACE, ACME_ACCOUNTS_NAME);
  assert.equal(Object.keys((map?.data ?? {}) as object).sort(), ['production', 'staging']);
  const other = { metadata: { namespace: NAMESPACE, name: 'other' }, data: {} };
  const refused = await client.apply(CONFIG_MAPS, other).catch((error: unknown) => error);
  assert.instance(refused, ApiError);
  assert.ok([403, 422].includes((refused as ApiError).status), String(refused));
  const elsewhere = { metadata: { namespace: 'default', name: ACME_ACCOUNTS_NAME }, data: {} };
  assert.instance(await client.apply(CONFIG_MAPS, elsewhere).catch((error: unknown) => error), ApiError);
});

test('without the responder it may not, and the error names the value of the chart', async () => {
  const { cluster } = await shared.get();
  const off = { acmeResponder: { enabled: false }, trustTargets: { configMaps: false } };
  await helm(cluster, [
    'upgrade',
    'certwheel',
    `${import.meta.dirname}/../../helm/certwheel`,
    '--namespace',
    NAMESPACE,
    ...values(off),
  ]);
  const { client } = await asController();
  const solver = new Http01([{}], { ...depsOf(), ...clusterAccess(client, NAMESPACE, () => {}), name: 'new' }, 1);
  const challenge = { domain: 'localhost', token: 'token', thumbprint: 'a'.repeat(43), keyAuthorization: 'token.a' };
  const error = await solver.present(challenge, signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, CertwheelError);
  assert.is((error as CertwheelError).code, 'BackendForbidden');
  assert.match((error as CertwheelError).message, /set acmeResponder\.enabled in the values of the chart/);
});

test.run();
