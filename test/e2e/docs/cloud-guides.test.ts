/** The commands of the guides of clouds that need no account: they write what is uploaded, from a real Secret. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { shellBlocks } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const page = (name: string) => `docs/guides/${name}.md`;
const CLOUDS = ['aws-alb', 'azure-application-gateway', 'google-load-balancer', 'cloudflare'].map(page);

/** The first command of a page that the pattern matches. */
function command(name: string, pattern: RegExp): string {
  const [found] = pattern.exec(shellBlocks(page(name)).join('\n')) ?? [];
  assert.ok(found, `docs/guides/${name}.md has no command ${pattern}`);
  return found ?? '';
}

/** The Secret shop/orders-tls while a CA is replaced, in the files that the pages write. */
const scene = oneScene({ own: true, authority: false }, async ({ world }) => {
  await world.cluster.kubectl(['create', 'namespace', 'shop']);
  const [old, next] = await Promise.all([makeCa('Shop'), makeCa('Shop, the next')]);
  await putCaSecret(world, 'shop', 'ca-pair', pairData(old));
  await createSecretAuthority(world, 'shop', 'shop-ca', 'ca-pair');
  await create(world, clientCertificate('shop', 'orders', { authorityRef: { name: 'shop-ca' } }));
  await untilReady(world, 'shop', 'orders');
  await putCaSecret(world, 'shop', 'ca-pair', pairData(next));
  await eventually('both CAs are in ca.crt', async () => {
    const { bundle = '' } = (await readSecret(world, 'shop', 'orders-tls')) ?? {};
    return bundle.split('BEGIN CERTIFICATE').length === 3;
  });
  const folder = commandFolder(world);
  const run = (commands: string) => runCommands(world, commands, folder);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  await run(shellBlocks(CLOUDS[0] ?? '')[0] ?? '');
  return { cas: [old, next].map(({ certificate }) => certificate.trim()).sort(), run, read };
});
test.after(scene.stop);

test('each page writes the files of the Secret by the same commands', async () => {
  const [first, ...others] = CLOUDS.map((path) => shellBlocks(path)[0]);
  for (const other of others) assert.is(other, first);
  const { read, world } = await scene.get();
  const secret = await readSecret(world, 'shop', 'orders-tls');
  assert.is(read('ca.crt'), secret?.bundle);
  assert.match(read('tls.key'), /^-----BEGIN PRIVATE KEY-----\n/);
  assert.match(read('tls.crt'), /^-----BEGIN CERTIFICATE-----\n/);
});

test('ca.crt has neither blank lines nor comments, which AWS would refuse', async () => {
  const { read } = await scene.get();
  const certificate = '-----BEGIN CERTIFICATE-----\\n(?:[A-Za-z0-9+/=]{1,64}\\n)+-----END CERTIFICATE-----\\n';
  assert.match(read('ca.crt'), new RegExp(`^(?:${certificate}){2}$`));
});

for (const [name, ending] of [
  ['azure-application-gateway', 'cer'],
  ['cloudflare', 'pem'],
] as const)
  test(`${name}.md splits ca.crt into one file for each CA`, async () => {
    const { run, read, cas } = await scene.get();
    await run(command(name, /^ *csplit .*$/m));
    assert.equal([read(`ca-0.${ending}`), read(`ca-1.${ending}`)].map((text) => text.trim()).sort(), cas);
    assert.throws(() => read(`ca-2.${ending}`));
  });

test('google-load-balancer.md writes a trust config with an anchor for each CA', async () => {
  const { run, read, cas } = await scene.get();
  await run(command('google-load-balancer', /^awk [\s\S]*?> trust_config\.yaml$/m));
  const { trustStores } = load(read('trust_config.yaml')) as {
    trustStores: { trustAnchors: { pemCertificate: string }[] }[];
  };
  const anchors = trustStores.map(({ trustAnchors }) => trustAnchors.map((each) => each.pemCertificate.trim()).sort());
  assert.equal(anchors, [cas]);
});

test('cloudflare.md reads the SKI of the issuer from a certificate, and the same from its CA', async () => {
  const { run } = await scene.get();
  await run(command('cloudflare', /^ *csplit .*$/m));
  const issuer = await run(command('cloudflare', /^ *openssl .*authorityKeyIdentifier.*$/m));
  assert.match(issuer, /^[0-9A-F]{40}\n$/);
  const ofCa = command('cloudflare', /^ *openssl .*subjectKeyIdentifier.*$/m);
  const skis = [await run(ofCa), await run(ofCa.replace('ca-1.pem', 'ca-0.pem'))];
  assert.is(skis.filter((ski) => ski === issuer).length, 1, skis.join(''));
});

test.run();
