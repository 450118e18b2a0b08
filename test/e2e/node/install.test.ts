/** The chart on a real node, from the first command of the README to the last trace that it leaves. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accountKubeconfig, provesGolden, requestsOfAccount } from '../../chart/support/account.ts';
import { CHART, helm, install, NAMESPACE } from '../../chart/support/helm.ts';
import { runCommands } from '../../chart/support/page.ts';
import { startNode } from '../../cluster/node/node.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { stopAll } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { commandsOf } from '../support/page.ts';
import { openWorld } from '../support/world.ts';
import { controllerLogs, controllerPods, untilControllerRolledOut } from './support/pods.ts';
import { importOurImage, issueFleet, issues, secretsOf, touchesNoSecret } from './support/release.ts';

/** What the README shows, all of it, in its order. */
const README = commandsOf('README.md', 'Install');
const [, , HELM_TEST = ''] = commandsOf('docs/install.md', 'With Helm');

const FLEET = 'fleet';
const SECONDS_TO_FIRST_CERTIFICATE = 60;

const shared = lazily(async () => {
  // Not while a clock runs.
  await ensureProgram('helm');
  const node = await startNode();
  importOurImage(node);
  const started = performance.now();
  let printed = '';
  const world = await openWorld(node.cluster, async (cluster) => {
    printed = await runCommands(cluster, README);
  });
  const seconds = (performance.now() - started) / 1000;
  return { node, world, printed, seconds };
});
test.after(stopAll);

test('from helm install to the first certificates it takes less than a minute, and no step but the documented ones', async () => {
  const { node, printed, seconds } = await shared.get();
  const { cluster } = node;
  assert.match(printed, 'condition met');
  console.log(`# helm install to the first certificates: ${seconds.toFixed(1)} s, two replicas, image on the node`);
  assert.ok(seconds < SECONDS_TO_FIRST_CERTIFICATE, `${seconds} s`);
  // They are renewed every few minutes, which would be in the way of what follows.
  await cluster.kubectl(['delete', 'namespace', 'certwheel-demo', '--timeout=60s']);
});

test('helm test finds that it works', async () => {
  const { node } = await shared.get();
  assert.match(await runCommands(node.cluster, [HELM_TEST]), 'Succeeded');
});

test('the account of the Pods may do what is written down, and may not write a Secret of somebody else', async () => {
  const { node, world } = await shared.get();
  const { cluster } = node;
  await cluster.kubectl(['create', 'namespace', FLEET]);
  await issueFleet(world, FLEET, 5);
  await provesGolden(cluster, 'cluster.txt', FLEET);
  const token = { kubeconfigPath: await accountKubeconfig(cluster), allowFailure: true };
  const write = (name: string, who: object) => {
    const metadata = { namespace: FLEET, name, labels: { written: 'yes' } };
    const data = { 'tls.crt': '', 'tls.key': '' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data };
    const args = ['apply', '--server-side', '--force-conflicts', '--field-manager=certwheel', '-f', '-'];
    return cluster.kubectl(args, { ...who, input: JSON.stringify(secret) });
  };
  await write('foreign', {});
  assert.match((await write('foreign', token)).stderr, /This Secret is not Certwheel's/);
  assert.match((await write('new', token)).stderr, /A Secret that Certwheel creates carries its marks/);
  assert.match(
    (await cluster.kubectl(['delete', 'secret', 'foreign', '-n', FLEET], token)).stderr,
    /Certwheel deletes nothing but Secrets of CA generations/,
  );
  const pods = await cluster.kubectl(['get', 'pods', '--namespace', FLEET], token);
  assert.match(pods.stderr, /cannot list resource "pods"/);
});

test('Pods of the controller are deleted: others take over, and no Secret is touched', async () => {
  const { node, world } = await shared.get();
  const before = await controllerPods(node);
  await touchesNoSecret(world, FLEET, async () => {
    const names = before.map(({ name }) => name);
    await node.cluster.kubectl(['delete', 'pod', '--namespace', NAMESPACE, ...names, '--timeout=60s']);
    await untilControllerRolledOut(node);
  });
  const after = await controllerPods(node);
  assert.is(after.length, before.length);
  assert.not(after.some(({ uid }) => before.some((old) => old.uid === uid)));
  await issues(world, FLEET, 'after-deletion');
});

test('the kubelet is restarted: the Pods run on, and no Secret is touched', async () => {
  const { node, world } = await shared.get();
  const before = await controllerPods(node);
  await touchesNoSecret(world, FLEET, async () => {
    await node.restartKubelet({ downForMs: 2000 });
    await untilControllerRolledOut(node);
  });
  assert.equal(await controllerPods(node), before);
  await issues(world, FLEET, 'after-kubelet');
});

test('helm upgrade brings changed CRDs and new Pods, and touches no Secret', async () => {
  const { node, world } = await shared.get();
  const { cluster } = node;
  const changed = join(cluster.dir, 'changed-chart');
  cpSync(CHART, changed, { recursive: true });
  const file = join(changed, 'templates/crd-clientcertificates.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('shortNames: [ccert]', 'shortNames: [ccert, cwcert]'));
  const before = await controllerPods(node);
  await touchesNoSecret(world, FLEET, async () => {
    const args = ['--namespace', NAMESPACE, '--reset-then-reuse-values', '--set', 'podAnnotations.changed=yes'];
    await helm(cluster, ['upgrade', 'certwheel', changed, ...args]);
    await untilControllerRolledOut(node);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
  });
  const after = await controllerPods(node);
  assert.not(after.some(({ uid }) => before.some((old) => old.uid === uid)));
  const { stdout } = await cluster.kubectl(['get', 'crd', 'clientcertificates.certwheel.io', '--output=json']);
  assert.equal(JSON.parse(stdout).spec.names.shortNames, ['ccert', 'cwcert']);
  await issues(world, FLEET, 'after-upgrade');
});

test('all along the account was refused nothing that it asked for as the controller', async () => {
  const { node } = await shared.get();
  const events = (await node.cluster.auditEvents()).filter(({ userAgent = '' }) => !userAgent.startsWith('kubectl'));
  const ours = events.filter(({ user }) => user.username === `system:serviceaccount:${NAMESPACE}:certwheel`);
  assert.ok(ours.length > 50);
  const refused = ours.filter(({ responseStatus: { code = 0, message = '' } = {} }) => {
    // No role helps with an event for what goes away.
    return [401, 403].includes(code) && !message.includes('because it is being terminated');
  });
  assert.equal(
    refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    [],
  );
  assert.ok((await requestsOfAccount(node.cluster)).length > 0);
});

test('helm uninstall leaves CRDs, certificates and Secrets as they are', async () => {
  const { node, world } = await shared.get();
  const { cluster } = node;
  const count = async () => (await cluster.kubectl(['get', 'ccert', '--namespace', FLEET, '--output=name'])).stdout;
  const before = await count();
  await touchesNoSecret(world, FLEET, async () => {
    await helm(cluster, ['uninstall', 'certwheel', '--namespace', NAMESPACE, '--wait', '--timeout=60s']);
    await eventually('the Pods are gone', async () => (await controllerPods(node)).length === 0, 60_000);
  });
  assert.is(await count(), before);
  assert.ok(before.split('\n').length > 5);
});

test('in namespaces mode it works with Roles alone, and names the namespace that lacks one', async () => {
  const { node, world } = await shared.get();
  const { cluster } = node;
  await cluster.kubectl(['create', 'namespace', 'bank']);
  const before = await secretsOf(world, FLEET);
  await install(cluster, { namespaces: [FLEET, 'bank'] });
  await untilControllerRolledOut(node);
  const { stdout } = await cluster.kubectl([
    'get',
    'clusterrole',
    '--output=name',
    '--selector=app.kubernetes.io/name=certwheel',
  ]);
  assert.is(stdout, '', 'no ClusterRole');
  await issues(world, FLEET, 'with-a-role');
  const now = await secretsOf(world, FLEET);
  assert.equal(
    Object.fromEntries(Object.keys(before).map((name) => [name, now[name]])),
    before,
    'nothing was re-issued',
  );

  const args = ['--namespace', 'bank', '--selector=app.kubernetes.io/name=certwheel'];
  await cluster.kubectl(['delete', 'rolebinding,role', ...args]);
  await cluster.kubectl(['rollout', 'restart', 'deployment/certwheel', '--namespace', NAMESPACE]);
  await untilControllerRolledOut(node);
  await createAuthority(world, selfManaged('bank'));
  await create(world, clientCertificate('bank', 'alice'));
  await issues(world, FLEET, 'beside-one-without');
  const line = (await controllerLogs(node)).find(({ message }) => message === 'a namespace is not served');
  assert.is(line?.namespace, 'bank');
  assert.match(String(line?.problem), /install the chart's Role in namespace bank/);

  // The remedy that it names.
  await helm(cluster, ['upgrade', 'certwheel', CHART, '--namespace', NAMESPACE, '--reuse-values', '--force']);
  await untilReady(world, 'bank', 'alice', {}, 120_000);
});

test.run();
