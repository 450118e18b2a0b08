import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../../src/version.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { type UnpackedImage, unpack } from './archive.ts';
import { launch, runOnce } from './container.ts';
import { Tree } from './tree.ts';

const CRDS = join(import.meta.dirname, '../../../crds');
const AS_ROOT = process.getuid?.() === 0;

const folder = mkdtempSync(join(tmpdir(), 'certwheel-unpacked-'));
onStop(() => rmSync(folder, { recursive: true, force: true }));
const built = lazily(async () => {
  const tree = new Tree('only');
  const printed = tree.build({ SOURCE_DATE_EPOCH: '1700000000' });
  return { tree, printed, image: unpack(tree.dist('certwheel-image.tar'), folder), stop: async () => tree.remove() };
});
const image = async () => (await built.get()).image;
const cluster = lazily(async () => {
  const plane = await startControlPlane();
  await plane.kubectl(['apply', '--server-side', '-f', CRDS]);
  return plane;
});
test.after(stopAll);

/** Entering a root filesystem needs rights that only root has. */
function asRoot(name: string, body: () => Promise<void>): void {
  if (AS_ROOT) test(name, body);
  else test.skip(`${name} (needs root, for chroot and mounts)`, body);
}

test('it says what it is, and whose', async () => {
  const { user, labels, architecture, names, repoTags, manifestDigest } = await image();
  assert.is(user, '65532:65532');
  assert.is(architecture, execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim());
  assert.is(labels['org.opencontainers.image.version'], VERSION);
  assert.is(labels['org.opencontainers.image.created'], '2023-11-14T22:13:20Z');
  assert.equal(names, { 'org.opencontainers.image.ref.name': VERSION });
  assert.equal(repoTags, [`certwheel/certwheel:${VERSION}`]);
  assert.match((await built.get()).printed, manifestDigest);
});

test('nothing in it can be written by the user it runs as, but for /tmp, and nothing is setuid', async () => {
  const { root } = await image();
  const modes = globSync('**', { cwd: root, exclude: ['tmp'] }).map((path) => ({
    path,
    ...lstatSync(join(root, path)),
  }));
  assert.ok(modes.length > 30);
  for (const { path, mode, uid } of modes) {
    if (AS_ROOT) assert.is(uid, 0, path);
    assert.is(mode & 0o6022, 0, `${path} has mode ${mode.toString(8)}`);
  }
  assert.is(lstatSync(join(root, 'tmp')).mode & 0o7777, 0o1777);
});

test('the folder that the Dockerfile copies is what the layers hold', async () => {
  const { tree, image } = await built.get();
  execFileSync('diff', ['-r', tree.dist('rootfs'), image.root]);
  const list = (root: string) =>
    execFileSync('find', ['.', '-printf', '%p %m %s %T@\n'], { cwd: root, encoding: 'utf8' });
  const sorted = (text: string) =>
    text
      .split('\n')
      .filter((line) => !line.startsWith('. '))
      .sort();
  assert.equal(sorted(list(tree.dist('rootfs'))), sorted(list(image.root)));
});

test('it holds the licences of what it is made from', async () => {
  const { root } = await image();
  for (const path of ['app/LICENSE', 'usr/share/doc/node/LICENSE']) assert.ok(existsSync(join(root, path)), path);
  const notices = readFileSync(join(root, 'app/THIRD-PARTY.txt'), 'utf8');
  for (const start of [/^undici [\d.]+, MIT$/m, /^@kubernetes\/client-node [\d.]+, Apache-2\.0$/m])
    assert.match(notices, start);
});

asRoot('it runs on a read-only root filesystem, as nobody in particular', async () => {
  const { code, stdout, stderr } = await runOnce(await image(), ['--version']);
  assert.equal({ code, stdout, stderr }, { code: 0, stdout: `${VERSION}\n`, stderr: '' });
  const help = await runOnce(await image(), ['--help']);
  assert.is(help.code, 0);
  assert.match(help.stdout, '--leader-elect');
});

asRoot('it has no more than it needs: no shell, no way to write', async () => {
  const probe = `
    const [fs, os, crypto] = ['fs', 'os', 'crypto'].map((name) => process.getBuiltinModule('node:' + name));
    const tryTo = (act) => { try { act(); return 'done'; } catch ({ code }) { return code; } };
    console.log(JSON.stringify({
      user: [process.getuid(), process.getgid(), process.getgroups()],
      capabilities: /CapEff:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
      shell: fs.existsSync('/bin/sh') || fs.existsSync('/usr/bin/sh'),
      app: tryTo(() => fs.writeFileSync('/app/x', '')),
      tmp: tryTo(() => fs.writeFileSync('/tmp/x', '')),
      name: os.userInfo().username,
      authorities: new crypto.X509Certificate(fs.readFileSync('/etc/ssl/certs/ca-certificates.crt')).ca,
    }));
    process.exit();`;
  const { stdout, stderr } = await runOnce(await image(), [], beforehand(probe));
  assert.is(stderr, '');
  assert.equal(JSON.parse(stdout), {
    user: [65532, 65532, [65532]],
    capabilities: '0000000000000000',
    shell: false,
    app: 'EROFS',
    tmp: 'EROFS',
    name: 'certwheel',
    authorities: true,
  });
});

asRoot('it serves a real cluster', async () => {
  const { startedMs, logs, stop, port } = await startReady(await image(), await cluster.get());
  const readyMs = performance.now() - startedMs;
  const firstLogMs = Date.parse(String(logs[0]?.timestamp)) - (performance.timeOrigin + startedMs);
  console.log(`first log line after ${Math.round(firstLogMs)} ms, ready after ${Math.round(readyMs)} ms`);
  assert.is((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.equal(
    logs.filter(({ level }) => level !== 'info'),
    [],
  );
  assert.is(await stop(), 0);
});

asRoot('a bug is logged with its place in the sources', async () => {
  // A fault that no input can cause: what the controller asks every five seconds about its memory throws.
  const fault = `process.getBuiltinModule('node:v8').getHeapStatistics = () => { throw new TypeError('planted'); };`;
  const { logs } = await startReady(await image(), await cluster.get(), beforehand(fault));
  const line = await eventually('it logs the bug', () => logs.find(({ stack }) => stack !== undefined));
  assert.match(String(line.stack), /^TypeError: planted\n[\s\S]*\(?src\/memory\.ts:\d+:\d+\)?/);
  assert.not.match(String(line.stack), 'certwheel.mjs');
});

asRoot('an uncaught error ends it with one line of log', async () => {
  // Once it is ready, however long that takes.
  const fault = `setInterval(() => {
    if (process.getBuiltinModule('node:fs').existsSync('/tmp/fault')) throw new RangeError('planted');
  }, 100);`;
  const { logs, exited } = await startReady(await image(), await cluster.get(), beforehand(fault));
  const planted = join(folder, 'mounted', 'fault');
  writeFileSync(planted, '');
  assert.is(await exited, 1);
  rmSync(planted);
  assert.equal(
    logs.filter(({ level }) => level !== 'info').map(({ level, message }) => `${level}: ${message}`),
    ['error: uncaught exception, please report it'],
  );
});

/** Has Node run this before the controller. */
function beforehand(script: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

async function startReady(unpacked: UnpackedImage, plane: ControlPlane, env: Readonly<Record<string, string>> = {}) {
  const mounted = join(folder, 'mounted');
  mkdirSync(mounted, { recursive: true });
  copyFileSync(plane.kubeconfigPath, join(mounted, 'kubeconfig'));
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  const ports = ['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'];
  const args = [
    '--kubeconfig',
    '/tmp/kubeconfig',
    '--log-format',
    'json',
    '--controller-namespace',
    'default',
    ...ports,
  ];
  const container = launch(unpacked, args, mounted, env);
  const port = await eventually('it is ready', async () => {
    const found = container.logs.find(({ healthPort }) => healthPort !== undefined)?.healthPort;
    if (found === undefined) return undefined;
    return (await fetch(`http://127.0.0.1:${found}/readyz`)).ok ? found : undefined;
  });
  return { ...container, port };
}

test.run();
