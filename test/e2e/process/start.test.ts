import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { onStop } from '../../teardown.ts';
import { launchController } from '../support/controller-process.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { runMain } from './support/run-main.ts';

// Each way in which a start can fail is one line on standard error that says what to do, and exit code 1.

const ANY_PORTS = ['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'];

const shared = oneWorld();
const folder = mkdtempSync(join(tmpdir(), 'certwheel-start-'));
onStop(() => rmSync(folder, { recursive: true }));
test.after(shared.stop);

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Wrong {
  readonly what: string;
  readonly args: () => Promise<readonly string[]> | readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What was wrong, and what is to be done about it. */
  readonly says: readonly RegExp[];
}

const WRONG: readonly Wrong[] = [
  { what: 'an unknown flag', args: () => ['--worker', '3'], says: [/--worker/, /--help/] },
  { what: 'a positional argument', args: () => ['start'], says: [/start/, /--help/] },
  { what: 'a number that is none', args: () => ['--workers', 'many'], says: [/--workers many/, /1 to 1000/] },
  { what: 'a log level that is none', args: () => ['--log-level', 'loud'], says: [/loud/, /error, warn, info, debug/] },
  { what: 'a duration that is none', args: () => ['--trust-propagation', '2'], says: [/trust-propagation 2/, /90s/] },
  { what: 'an address that is none', args: () => ['--metrics-bind-address', '8080'], says: [/8080/, /:8080/] },
  { what: 'an unknown variable', args: () => [], env: { CERTWHEEL_WORKER: '3' }, says: [/CERTWHEEL_WORKER/, /--help/] },
  {
    what: 'a bad value in a variable',
    args: () => [],
    env: { CERTWHEEL_LEADER_ELECT: 'yes' },
    says: [/leader-elect yes/, /true.*false/],
  },
  {
    what: 'a kubeconfig that is not there',
    args: () => ['--kubeconfig', '/nonexistent/kubeconfig', ...ANY_PORTS],
    says: [/\/nonexistent\/kubeconfig/, /no such file/, /check the path/],
  },
  { what: 'no kubeconfig at all', args: () => ANY_PORTS, says: [/no kubeconfig/, /--kubeconfig/] },
  {
    what: 'a kubeconfig that is no YAML',
    args: () => ['--kubeconfig', file('broken', 'clusters: [}\ntoken: hunter2'), ...ANY_PORTS],
    says: [/broken/, /no valid kubeconfig/],
  },
  {
    what: 'a kubeconfig without a context',
    args: () => ['--kubeconfig', file('empty', '{"apiVersion":"v1","kind":"Config"}'), ...ANY_PORTS],
    says: [/current-context/, /kubectl config use-context/],
  },
  {
    what: 'a certificate for metrics that is not there',
    args: async () => {
      const { kubeconfigPath } = (await shared.get()).cluster;
      const tls = ['--metrics-tls-cert-file', '/nonexistent/tls.crt', '--metrics-tls-key-file', '/nonexistent/tls.key'];
      return ['--kubeconfig', kubeconfigPath, ...ANY_PORTS, ...tls];
    },
    says: [/\/nonexistent\/tls.(crt|key) can't be read: ENOENT/, /check --metrics-tls-cert-file/],
  },
  {
    what: 'an API server that nobody can reach',
    args: async () => ['--kubeconfig', await unreachable(), ...ANY_PORTS],
    says: [/can't be reached/, /ECONNREFUSED/, /check --kubeconfig/],
  },
  {
    what: 'a user without any rights',
    args: async () => ['--kubeconfig', await (await shared.get()).cluster.kubeconfigFor('nobody'), ...ANY_PORTS],
    says: [/"nobody" cannot list/, /ClusterRole/],
  },
  {
    what: 'namespaces none of which can be served',
    args: async () => {
      const kubeconfig = await (await shared.get()).cluster.kubeconfigFor('nobody');
      return ['--kubeconfig', kubeconfig, '--namespaces', 'one,two', ...ANY_PORTS];
    },
    says: [/"nobody" cannot list/, /Role in namespace one/],
  },
];

for (const { what, args, env, says } of WRONG) {
  test(`${what} ends the start with one line that says what to do`, async () => {
    const { code, errors, stdout } = await runMain(await args(), env);
    assert.is(code, 1);
    assert.is(stdout, '');
    assert.is(errors.length, 1, errors.join('\n'));
    for (const expected of says) assert.match(errors[0] ?? '', expected);
    assert.not.match(errors[0] ?? '', /hunter2|undefined|\[object/);
    if (process.env.DEBUG) console.log(errors[0]);
  });
}

test('a port that is taken ends the start with one line that names it', async () => {
  const { cluster } = await shared.get();
  const taken = createServer();
  onStop(() => taken.close());
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const flags = ['--metrics-bind-address', '--health-probe-bind-address'];
  for (const flag of flags) {
    const args = ['--kubeconfig', cluster.kubeconfigPath, ...ANY_PORTS, flag, `127.0.0.1:${port}`];
    const { code, errors } = await runMain(args);
    assert.is(code, 1);
    assert.is(errors.length, 1);
    assert.match(errors[0] ?? '', new RegExp(`127.0.0.1:${port}, is in use; choose another one`));
  }
});

test('a cluster without our CRDs ends the start with one line that says how to install them', async () => {
  const bare = await startControlPlane();
  onStop(bare.stop);
  const { code, errors } = await runMain(['--kubeconfig', bare.kubeconfigPath, ...ANY_PORTS]);
  assert.is(code, 1);
  assert.is(errors.length, 1);
  assert.match(errors[0] ?? '', /the CRD clientcertificates\.certwheel\.io is not installed; run: kubectl apply/);
});

test('--help and --version print to standard output and end with 0', async () => {
  const help = await runMain(['--help']);
  assert.is(help.code, 0);
  assert.equal(help.errors, []);
  for (const flag of ['kubeconfig', 'namespaces', 'leader-elect', 'workers', 'log-level', 'version'])
    assert.match(help.stdout, new RegExp(`--${flag}\\b`));
  const version = await runMain(['--version']);
  assert.is(version.code, 0);
  const { version: expected } = JSON.parse(readFileSync(`${import.meta.dirname}/../../../package.json`, 'utf8'));
  assert.is(version.stdout.trim(), expected);
});

test('environment variables say what flags say, and a flag wins', async () => {
  const { cluster } = await shared.get();
  const env = {
    KUBECONFIG: cluster.kubeconfigPath,
    CERTWHEEL_METRICS_BIND_ADDRESS: 'nonsense',
    CERTWHEEL_WORKERS: '0',
  };
  const wrong = await runMain(['--metrics-bind-address', '127.0.0.1:0'], env);
  assert.match(wrong.errors[0] ?? '', /--workers 0/);
  const controller = launchController(cluster.kubeconfigPath, [], {
    CERTWHEEL_LOG_LEVEL: 'debug',
    CERTWHEEL_NAMESPACES: 'default',
  });
  await eventually('it is in sync', () => controller.logs.some(({ message }) => message === 'in sync'));
  assert.match(await controller.metrics(), /default\/secrets/);
  assert.is(await controller.stop(), 0);
});

async function unreachable(): Promise<string> {
  const { cluster } = await shared.get();
  const config = JSON.parse(readFileSync(cluster.kubeconfigPath, 'utf8'));
  config.clusters[0].cluster.server = 'https://127.0.0.1:1';
  return file('unreachable', JSON.stringify(config));
}

test.run();
