import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { cgroupOf } from '../cgroups.ts';
import { removeLeftovers } from '../leftovers.ts';
import { isRunning } from '../process-identity.ts';
import { startNode } from './node.ts';

test.after(stopAll);

/** Starts a node with a pod on it in a process of its own, which then waits to be ended. */
async function startElsewhere(): Promise<{ owner: ChildProcess; folder: string; pids: number[] }> {
  const script = `
    const { startNode } = await import(${JSON.stringify(join(import.meta.dirname, 'node.ts'))});
    const { cluster } = await startNode({ syncFrequency: '5s' });
    await cluster.kubectl(['create', 'serviceaccount', 'pod']);
    await cluster.kubectl(['run', 'pod', '--image=certwheel.io/test/pause:1', '--overrides={"spec":{"serviceAccountName":"pod"}}']);
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/pod', '--timeout=60s']);
    console.log(cluster.dir);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onStop(() => owner.kill('SIGKILL'));
  const [folder] = await once(createInterface({ input: owner.stdout as NodeJS.ReadableStream }), 'line');
  const pids = [...new Set([...inControlGroups(folder), ...onFolder(folder)])];
  assert.ok(inControlGroups(folder).length >= 2, 'a pod and its container run');
  assert.ok(pids.length > 10, 'and all the programs of a node');
  return { owner, folder, pids };
}

function inControlGroups(folder: string): number[] {
  const files = globSync(`/sys/fs/cgroup/{.,*}/${cgroupOf(folder).slice(1)}/**/cgroup.procs`);
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number));
}

function onFolder(folder: string): number[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(folder)).map((line) => Number.parseInt(line, 10));
}

/** What is still there of a run, in words. */
function traces(folder: string, pids: readonly number[]): string[] {
  const links = execFileSync('ip', ['-oneline', 'link'], { encoding: 'utf8' }).split('\n');
  return [
    ...pids.filter(isRunning).map((pid) => `process ${pid}`),
    ...links.filter((line) => line.includes(`alias ${basename(folder)}`)).map((line) => `interface ${line}`),
    ...readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(basename(folder))),
    ...globSync(`/sys/fs/cgroup/{.,*}/${cgroupOf(folder).slice(1)}`),
    ...[folder, '/run/netns', '/var/lib/cni', '/var/lib/kubelet', '/var/log/containers'].filter(
      (path) => existsSync(path) && !before.has(path),
    ),
  ];
}

/** A killed process is there until the kernel has taken it apart, for which a busy machine may need a while. */
async function leavesNothing(folder: string, pids: readonly number[]): Promise<void> {
  await eventually('nothing is left', () => traces(folder, pids).length === 0, 60_000).catch((error) => {
    throw new Error(`${error.message}: ${traces(folder, pids).join(', ')}`);
  });
}

const before = new Set(['/run/netns', '/var/lib/cni', '/var/lib/kubelet', '/var/log/containers'].filter(existsSync));

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} to the process that started it leaves nothing of a node behind`, async () => {
    const { owner, folder, pids } = await startElsewhere();
    owner.kill(signal);
    await leavesNothing(folder, pids);
  });
}

test('the next start clears up even where the watchdog was killed too', async () => {
  const { owner, folder, pids } = await startElsewhere();
  const watchdog = onFolder(folder).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog'));
  process.kill(watchdog ?? 0, 'SIGKILL');
  owner.kill('SIGKILL');
  await once(owner, 'close');
  assert.ok(pids.filter(isRunning).length > 10, 'it runs on, ownerless');
  removeLeftovers();
  await leavesNothing(folder, pids);
});

test('two nodes run beside each other, and what is stopped leaves nothing behind', async () => {
  const start = async () => {
    const node = await startNode();
    return { ...node, stop: onStop(node.stop) };
  };
  const nodes = [await start(), await start()];
  const pids = nodes.flatMap(({ cluster }) => onFolder(cluster.dir));
  assert.is(new Set(nodes.map(({ address }) => address)).size, 2);
  for (const { cluster, name } of nodes) {
    const { stdout } = await cluster.kubectl(['get', 'nodes', '--output=name']);
    assert.is(stdout.trim(), `node/${name}`);
  }
  await Promise.all(nodes.map((node) => node.stop()));
  for (const { cluster } of nodes) await leavesNothing(cluster.dir, pids);
});

test.run();
