/** Java asks the responder at the places that a certificate names, by OCSP and by CRL. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, leaf, root } from '../../pki/make.ts';
import { ensureCompiled } from '../../programs/compiled.ts';
import { hence, revoked } from '../../unit/responder-world.ts';
import { withFiles } from '../support/openssl.ts';
import { startRevocationResponder } from '../support/responder-process.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { CrlWorld } from './crl-world.ts';

const run = promisify(execFile);
const shared = oneWorld();
test.after(shared.stop);

const java = ensureCompiled({
  name: 'ask-revocation',
  folder: join(import.meta.dirname, 'java'),
  sources: '*.java',
  build: (source, out) => [['javac', '-Xlint:all', '-Werror', '-d', out, `${source}/AskRevocation.java`]],
  run: (out) => ['java', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', out, 'AskRevocation'],
  prove: (out) => ['java', '-cp', out, 'AskRevocation'],
  compiler: ['javac', '--version'],
  remedy:
    'a JDK of version 17 or newer is needed as `java` and `javac` on the PATH: apt-get install default-jdk-headless',
});

async function says(way: 'OCSP' | 'CRL', { certificate }: Holder, ca: Holder): Promise<string> {
  const [program = '', ...args] = await java;
  return withFiles({ leaf: certificate.pem, ca: ca.certificate.pem }, async (cwd) => {
    const { stdout } = await run(program, [...args, way, 'leaf', 'ca'], { cwd });
    return stdout.trim();
  });
}

test('Java takes a good certificate and refuses a revoked one, by OCSP and by CRL', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await root({ notBefore: hence(-48), notAfter: hence(4_800) });
  const authority = new CrlWorld(world, namespace, ca);
  const responder = await startRevocationResponder(world, namespace);
  authority.url = `${responder.url}/pki`;
  const [good, bad] = [await authority.issue(), await authority.issue()];
  authority.revoked = [revoked(bad)];
  assert.equal((await authority.look()).problems, []);
  await responder.sync();
  await eventually('the keys are read', async () => (await says('OCSP', good, ca)) === 'ok', undefined, 1_000);
  assert.is(await says('CRL', good, ca), 'ok');
  for (const way of ['OCSP', 'CRL'] as const) assert.match(await says(way, bad, ca), /^REVOKED: /);
  // What names no responder can't be asked about.
  const silent = await leaf(ca, { notBefore: hence(-1), notAfter: hence(100) });
  assert.match(await says('OCSP', silent, ca), 'does not specify OCSP responder');
});

test.run();
