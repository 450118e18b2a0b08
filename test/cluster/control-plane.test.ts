import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { onStop, stopAll } from '../teardown.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { pidFolder } from './guard.ts';
import { removeLeftovers } from './leftovers.ts';

let cluster: ControlPlane;
const started = lazily(startControlPlane);
test.before.each(async () => {
  cluster = await started.get();
});
test.after(stopAll);

test('it starts and answers /readyz', async () => {
  const { stdout } = await cluster.kubectl(['get', '--raw', '/readyz']);
  assert.is(stdout, 'ok');
});

test('a second one beside it has its own address, its own data, and leaves nothing behind', async () => {
  const second = await startControlPlane();
  onStop(second.stop);
  assert.is.not(second.url, cluster.url);
  await second.kubectl(['create', 'configmap', 'only-in-the-second']);
  const { code } = await cluster.kubectl(['get', 'configmap', 'only-in-the-second'], { allowFailure: true });
  assert.is(code, 1);
  await Promise.all([second.stop(), second.stop()]);
  assert.equal(processesOn(second.dir), []);
  assert.not(existsSync(second.dir));
});

test('kubeconfigFor signs in as that user with those groups, however long the name', async () => {
  const user = `system:serviceaccount:certwheel-system:${'a-controller-with-a-rather-long-name'.repeat(2)}`;
  const kubeconfigPath = await cluster.kubeconfigFor(user, ['system:serviceaccounts', 'team/ä, b=c']);
  const { stdout } = await cluster.kubectl(['auth', 'whoami', '--output=json'], { kubeconfigPath });
  const { username, groups } = JSON.parse(stdout).status.userInfo;
  assert.is(username, user);
  assert.equal(groups, ['system:serviceaccounts', 'team/ä, b=c', 'system:authenticated']);
});

test('such a user may do nothing until RBAC says so', async () => {
  const kubeconfigPath = await cluster.kubeconfigFor('nobody');
  const { code, stderr } = await cluster.kubectl(['get', 'secrets'], { kubeconfigPath, allowFailure: true });
  assert.is(code, 1);
  assert.match(stderr, 'User "nobody" cannot list resource "secrets"');
});

test('kubectl takes input, and its failure says what was tried and what came back', async () => {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'from-input' } };
  await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(manifest) });
  try {
    await cluster.kubectl(['get', 'configmap', 'missing']);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /kubectl get configmap missing failed \(exit code 1\):\n.*NotFound/);
  }
});

test('audit events show the requests, even while a line is half written', async () => {
  await cluster.kubectl(['create', 'configmap', 'audited']);
  const seen = await eventually('the audit event', async () =>
    (await cluster.auditEvents()).find(({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'audited'),
  );
  assert.is(seen.user.username, 'certwheel-admin');
  assert.is(seen.responseStatus?.code, 201);
  assert.match(seen.requestURI, /^\/api\/v1\/namespaces\/default\/configmaps/);
  assert.ok(Date.parse(seen.requestReceivedTimestamp) <= Date.now());

  writeFileSync(cluster.auditLogPath, '{"kind":"Event","verb":"cre', { flag: 'a' });
  assert.ok((await cluster.auditEvents()).some(({ auditID }) => auditID === seen.auditID));
  writeFileSync(cluster.auditLogPath, '\n', { flag: 'a' });
});

test('a restart of the API server keeps address and data', async () => {
  await cluster.kubectl(['create', 'configmap', 'survivor']);
  await cluster.stopApiServer();
  const { code } = await cluster.kubectl(['get', 'configmap', 'survivor'], { allowFailure: true });
  assert.is(code, 1);
  await cluster.startApiServer();
  await cluster.restartApiServer({ downForMs: 100 });
  await cluster.kubectl(['get', 'configmap', 'survivor']);
});

test('the garbage collector collects, and deleted namespaces go away', async () => {
  await cluster.startControllerManager(['garbage-collector-controller', 'namespace-controller']);
  await cluster.kubectl(['create', 'namespace', 'short-lived']);
  await cluster.kubectl(['create', 'configmap', 'owner', '--namespace=short-lived']);
  const { stdout: uid } = await cluster.kubectl([
    ...['get', 'configmap', 'owner', '--namespace=short-lived', '--output=jsonpath={.metadata.uid}'],
  ]);
  const owned = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'owned',
      namespace: 'short-lived',
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }],
    },
  };
  await cluster.kubectl(['create', '--filename=-'], { input: JSON.stringify(owned) });
  await cluster.kubectl(['delete', 'configmap', 'owner', '--namespace=short-lived']);
  await cluster.kubectl(['wait', '--for=delete', 'configmap/owned', '--namespace=short-lived', '--timeout=60s']);
  await cluster.kubectl(['delete', 'namespace', 'short-lived', '--timeout=60s']);
});

test('a failed start names the culprit, the end of its log and the folder', async () => {
  try {
    await startControlPlane({ apiServerArguments: ['--no-such-flag'] });
    assert.unreachable();
  } catch (error) {
    const { message } = error as Error;
    assert.match(message, 'kube-apiserver ended while starting (exit code 1)');
    assert.match(message, 'unknown flag: --no-such-flag');
    const folder = /All logs, for a day: (\S+)$/.exec(message)?.[1] ?? '';
    assert.ok(existsSync(join(folder, 'logs', 'kube-apiserver.log')));
    assert.not(existsSync(join(folder, 'etcd')));
    assert.equal(processesOn(folder), []);
    rmSync(folder, { recursive: true });
  }
});

test('SIGKILL to the process that started it leaves no process and no folder behind', async () => {
  const { parent, folder } = await startInAnotherProcess();
  assert.is(processesOn(folder).length, 3, 'etcd, API server and watchdog run');
  parent.kill('SIGKILL');
  await eventually('the end of its processes', async () => processesOn(folder).length === 0);
  await eventually('the end of its folder', async () => !existsSync(folder));
});

test('the next start clears up even where the watchdog was killed too', async () => {
  const { parent, folder } = await startInAnotherProcess();
  const watchdog = processesOn(folder).find(({ command }) => command.includes('certwheel-watchdog'));
  process.kill(watchdog?.pid ?? 0, 'SIGKILL');
  parent.kill('SIGKILL');
  await once(parent, 'close');
  assert.is(processesOn(folder).length, 2, 'etcd and API server still run');
  removeLeftovers();
  assert.not(existsSync(folder));
  await eventually('the end of its processes', async () => processesOn(folder).length === 0);
});

test('clearing up spares live runs, kept logs, and processes that only inherited a recorded pid', async () => {
  const deadPid = spawnSync('true').pid;
  const folder = mkdtempSync(join(tmpdir(), `certwheel-cluster-${deadPid}-`));
  const kept = mkdtempSync(join(tmpdir(), `certwheel-cluster-${deadPid}-`));
  writeFileSync(join(kept, 'kept'), '');
  onStop(() => rmSync(kept, { recursive: true }));
  const innocent = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  onStop(() => innocent.kill('SIGKILL'));
  mkdirSync(pidFolder(folder));
  writeFileSync(join(pidFolder(folder), 'etcd'), String(innocent.pid));
  removeLeftovers();
  assert.not(existsSync(folder));
  assert.ok(existsSync(kept));
  assert.ok(existsSync(cluster.dir));
  assert.is(innocent.exitCode ?? innocent.signalCode, null);
});

async function startInAnotherProcess(): Promise<{ parent: ChildProcess; folder: string }> {
  const script = `
    const { startControlPlane } = await import(${JSON.stringify(join(import.meta.dirname, 'control-plane.ts'))});
    const { dir } = await startControlPlane();
    console.log(dir);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onStop(() => parent.kill('SIGKILL'));
  const [folder] = await once(createInterface({ input: parent.stdout }), 'line');
  return { parent, folder };
}

function processesOn(folder: string): { pid: number; command: string }[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes(folder))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim() }));
}

test.run();
