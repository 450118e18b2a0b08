import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { holder } from '../e2e/process/support/access.ts';
import { bugs, lines } from '../e2e/process/support/fleet.ts';
import { launchController, startController } from '../e2e/support/controller-process.ts';
import { createAuthority, readSecret, selfManaged } from '../e2e/support/objects.ts';
import { oneWorld } from '../e2e/support/world.ts';
import { accountKubeconfig, provesGolden, requestsOfAccount } from './support/account.ts';
import { install, NAMESPACE } from './support/helm.ts';
import { issueAndRenew } from './support/issued.ts';

const SERVED = ['shop', 'bank'];
const shared = oneWorld({}, async (cluster) => {
  for (const namespace of [...SERVED, 'other']) await cluster.kubectl(['create', 'namespace', namespace]);
  await install(cluster, { namespaces: SERVED });
});
test.after(shared.stop);

test('the account may do what is written down in the namespaces that it serves, and nothing elsewhere', async () => {
  const { cluster } = await shared.get();
  for (const namespace of SERVED) await provesGolden(cluster, 'namespaces-served.txt', namespace);
  await provesGolden(cluster, 'namespaces-own-namespace.txt', NAMESPACE);
  await provesGolden(cluster, 'namespaces-elsewhere.txt', 'other');
});

test('with Roles alone everything works, and a namespace without one is named', async () => {
  const world = await shared.get();
  const args = ['--leader-elect', '--controller-namespace', NAMESPACE, '--namespaces', [...SERVED, 'other'].join(',')];
  await createAuthority(world, selfManaged('other'));
  const controller = await startController(await accountKubeconfig(world.cluster), args);
  await Promise.all(SERVED.map((namespace) => issueAndRenew(world, namespace)));
  assert.ok(await holder(world, NAMESPACE));

  const [line] = lines(controller.logs, 'a namespace is not served');
  assert.is(line?.namespace, 'other');
  assert.match(String(line?.problem), /install the chart's Role in namespace other/);
  assert.is(await readSecret(world, 'other', 'alice-tls'), undefined);

  assert.is(await controller.stop(), 0);
  assert.equal(bugs(controller.logs), []);
  const refused = (await requestsOfAccount(world.cluster)).filter(({ code }) => code === 403);
  assert.equal([...new Set(refused.map(({ namespace }) => namespace))], ['other']);
});

test('without a Role in any namespace it ends with one line that says so', async () => {
  const { cluster } = await shared.get();
  const controller = launchController(await accountKubeconfig(cluster), ['--namespaces', 'other']);
  assert.is((await controller.exited).code, 1);
  assert.is(controller.errors.length, 1);
  assert.match(controller.errors[0] ?? '', /install the chart's Role in namespace other, or narrow --namespaces/);
});

test.run();
