/** Java with the key stores of a Secret of a running controller, PKCS#12 and JKS, before and after renewals. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../cluster/ports.ts';
import { createSecret, patchSecret, renewAt, untilRevision } from '../e2e/support/edits.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { clientCertificate, create, readSecret } from '../e2e/support/objects.ts';
import { oneScene } from '../e2e/support/scene.ts';
import { stopAll } from '../teardown.ts';
import { startGoPeer } from './servers/go.ts';
import { available } from './support/available.ts';
import type { ClientAnswer } from './support/client.ts';
import { goProgram, javaCommand, lineClient } from './support/programs.ts';
import { followReal, mountReal } from './support/real-mount.ts';
import { temporaryFolder } from './support/temporary.ts';

test.after(stopAll);

const hasGo = await available('Go net/http', goProgram);
const java = await available('Java', javaCommand);
const scene = oneScene();
const encoded = (text: string) => Buffer.from(text).toString('base64');

function serialOf(answer: ClientAnswer): string {
  assert.ok('body' in answer, JSON.stringify(answer));
  return JSON.parse(answer.body).serial;
}

async function setUp(format: 'pkcs12' | 'jks', password: string) {
  const { world, namespace } = await scene.get();
  const passwordSecretRef = { name: `${format}-password`, key: 'password' };
  await createSecret(world, namespace, passwordSecretRef.name, { data: { password: encoded(password) } });
  const names = { server: `web-${format}`, client: `orders-${format}` };
  await create(
    world,
    clientCertificate(namespace, names.server, {
      dnsNames: ['localhost'],
      usages: ['digital signature', 'server auth', 'client auth'],
    }),
  );
  const keystores = { [format]: { create: true, passwordSecretRef } };
  await create(world, clientCertificate(namespace, names.client, { keystores }));
  const serving = await mountReal(world, namespace, `${names.server}-tls`);
  const mount = await mountReal(world, namespace, `${names.client}-tls`);
  followReal(world, { namespace, name: `${names.client}-tls`, mount });
  const { port } = await startGoPeer('https-server', {
    directory: serving.directory,
    clientCa: join(serving.directory, 'ca.crt'),
    port: await freePort(),
    folder: temporaryFolder(),
    tls: undefined,
    maxAge: '1s',
    linger: '0',
  });
  const passwordFile = join(temporaryFolder(), 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  return { world, namespace, name: names.client, passwordSecretRef, mount, port, passwordFile };
}

if (hasGo !== undefined && java !== undefined)
  for (const format of ['pkcs12', 'jks'] as const) {
    const password = 'fifteen-letters';
    test(`Java opens the ${format} stores of a real Secret, follows two renewals, and needs the password that replaces the first`, async () => {
      const { world, namespace, name, passwordSecretRef, mount, port, passwordFile } = await setUp(format, password);
      const more = { format, password: passwordFile };
      const client = await lineClient(`Java, ${format}`, '', [...java, 'client'], { more }).start();
      const ask = () => client.ask({ port, directory: mount.directory, keep: 'one' });
      const current = async () => (await readSecret(world, namespace, `${name}-tls`))?.leaf.serialNumber.toLowerCase();
      assert.is(serialOf(await ask()), await current());
      for (const revision of [2, 3]) {
        await renewAt(world, namespace, name);
        await untilRevision(world, namespace, `${name}-tls`, revision);
        const serial = await current();
        await eventually(`Java shows certificate ${revision}`, async () => serialOf(await ask()) === serial);
      }
      // The password's own volume is not written at the same moment, and this client has read it at its start.
      await patchSecret(world, namespace, passwordSecretRef.name, { data: { password: encoded('another-password') } });
      const refusal = await eventually('Java meets stores with the other password', async () => {
        const answer = await ask();
        return 'error' in answer && answer.error;
      });
      assert.match(refusal, /password was incorrect/);
      writeFileSync(passwordFile, 'another-password');
      assert.is(serialOf(await client.ask({ port, directory: mount.directory })), await current(), 'a new client');
      await client.stop();
    });
  }

test.run();
