/** The CRDs of the Gateway API take the manifest of docs/guides/gateway-api.md, and its commands bring the ConfigMap. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { moduleFiles } from '../../programs/module-files.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { commandText } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const PAGE = 'docs/guides/gateway-api.md';
const MANIFEST = join(import.meta.dirname, '../../interop/conf/gateway-api/gateway.yaml');
const GROUP = 'apis/gateway.networking.k8s.io/v1';

interface Gateway {
  metadata: { name: string };
  spec: {
    tls?: { frontend?: { default?: unknown; perPort?: unknown[] } };
    listeners: { tls: Record<string, unknown> }[];
  };
}

// The page names the namespace shop, and the CRDs would be news to other files.
const scene = oneScene({ own: true, authority: false }, async ({ world: { cluster } }) => {
  const folder = await moduleFiles('gateway-api', 'sigs.k8s.io/gateway-api');
  await cluster.kubectl(['apply', '--server-side', '-f', join(folder, 'config/crd/standard')]);
  await eventually('the API server publishes the schemas of the Gateway API', async () =>
    (await cluster.kubectl(['get', '--raw', '/openapi/v3'])).stdout.includes(GROUP),
  );
  await cluster.kubectl(['create', 'namespace', 'shop']);
  return {};
});
test.after(scene.stop);

const manifest = () => load(readFileSync(MANIFEST, 'utf8')) as Gateway;

const apply = ({ kubectl }: ControlPlane, gateway: Gateway, ...flags: readonly string[]) =>
  kubectl(['apply', '--server-side', ...flags, '-f', '-'], { input: JSON.stringify(gateway), allowFailure: true });

/** As the API server has stored it. */
const stored = async ({ kubectl }: ControlPlane, name: string) =>
  JSON.parse((await kubectl(['get', 'gateway', name, '-n', 'shop', '-o', 'json'])).stdout) as Gateway;

test('the API server takes the Gateway of the page, keeps every field, and warns of none', async () => {
  const { cluster } = (await scene.get()).world;
  const { code, stderr } = await apply(cluster, manifest(), '--validate=strict');
  assert.equal([code, stderr], [0, '']);
  assert.equal((await stored(cluster, 'web')).spec.tls, manifest().spec.tls);
});

test('a client validation below the listener is refused by server-side apply, and dropped from a plain create', async () => {
  const { cluster } = (await scene.get()).world;
  const old = manifest();
  const frontendValidation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'client-ca' }] };
  old.metadata.name = 'old';
  delete old.spec.tls;
  for (const { tls } of old.spec.listeners) tls.frontendValidation = frontendValidation;
  const applied = await apply(cluster, old);
  assert.is.not(applied.code, 0);
  assert.match(applied.stderr, /frontendValidation: field not declared in schema/);
  const created = await cluster.kubectl(['create', '--validate=warn', '-f', '-'], { input: JSON.stringify(old) });
  assert.match(created.stderr, /Warning: unknown field "spec\.listeners\[0\]\.tls\.frontendValidation"/);
  assert.not.match(JSON.stringify((await stored(cluster, 'old')).spec), 'frontendValidation');
});

test('a Gateway whose frontend has entries for ports and no default is refused', async () => {
  const { cluster } = (await scene.get()).world;
  const ports = manifest();
  ports.metadata.name = 'ports';
  const tls = ports.spec.tls?.frontend?.default;
  ports.spec.tls = { frontend: { perPort: [{ port: 443, tls }] } };
  const { code, stderr } = await apply(cluster, ports);
  assert.is.not(code, 0);
  assert.match(stderr, /spec\.tls\.frontend\.default: Required/);
});

test('the commands of the page bring ca.crt into the ConfigMap, and both CAs once there are two', async () => {
  const { world } = await scene.get();
  const { cluster } = world;
  const copy = async () => {
    await runCommands(world, commandText(PAGE, 'The ConfigMap with the CA'), commandFolder(world));
    const args = ['get', 'configmap', 'client-ca', '-n', 'shop', '-o', 'json'];
    return (JSON.parse((await cluster.kubectl(args)).stdout) as { data: Record<string, string> }).data['ca.crt'] ?? '';
  };
  const [old, next] = await Promise.all([makeCa('Shop'), makeCa('Shop, the next')]);
  await putCaSecret(world, 'shop', 'ca-pair', pairData(old));
  await createSecretAuthority(world, 'shop', 'shop-ca', 'ca-pair');
  await create(world, clientCertificate('shop', 'orders', { authorityRef: { name: 'shop-ca' } }));
  await untilReady(world, 'shop', 'orders');
  assert.is((await copy()).trim(), old.certificate.trim());

  await putCaSecret(world, 'shop', 'ca-pair', pairData(next));
  const bundle = await eventually('both CAs are in ca.crt', async () => {
    const { bundle: both = '' } = (await readSecret(world, 'shop', 'orders-tls')) ?? {};
    return both.split('BEGIN CERTIFICATE').length === 3 && both;
  });
  assert.is(await copy(), bundle);
});

test.run();
