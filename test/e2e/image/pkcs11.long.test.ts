import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { pkcs11Spec, putCertificate, putPin } from '../backends/pkcs11-subject.ts';
import { createAuthority, place, untilAuthority } from '../backends/place.ts';
import { startSoftHsm } from '../backends/servers/pkcs11.ts';
import { startController } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { Tree } from './tree.ts';

// The image certwheel-pkcs11, and that nothing of it is in the plain one.

const WHEN = { SOURCE_DATE_EPOCH: '1700000000' };
const TOKEN = { token: 'image', pin: '4711' };

const built = lazily(async () => {
  const tree = new Tree('variant');
  tree.build(WHEN);
  // npm finds its registry by variables, where a network has one of its own.
  tree.build({ ...(process.env as Record<string, string>), ...WHEN }, undefined, '--pkcs11');
  return { tree, stop: async () => tree.remove() };
});
const worlds = oneWorld();
test.after(async () => {
  await built.stop();
  await stopAll();
});

interface Bom {
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
}

const bomOf = (tree: Tree, name: string): Bom => JSON.parse(readFileSync(tree.dist(name), 'utf8'));
const layersOf = (tree: Tree, name: string): string[] =>
  JSON.parse(execFileSync('tar', ['-xOf', tree.dist(name), 'manifest.json'], { encoding: 'utf8' }))[0].Layers;

test('the plain image has no native module and no PKCS#11 program, and its SBOM names none', async () => {
  const { tree } = await built.get();
  const files = globSync('**/*', { cwd: tree.dist('rootfs') });
  assert.equal(
    files.filter((each) => each.endsWith('.node') || each.includes('pkcs11')),
    [],
  );
  assert.not.match(readFileSync(tree.dist('certwheel-sbom.json'), 'utf8'), /pkcs11/i);
});

test('the other image is the plain one with a layer on top, and its SBOM with one package more', async () => {
  const { tree } = await built.get();
  const [plain, other] = [layersOf(tree, 'certwheel-image.tar'), layersOf(tree, 'certwheel-pkcs11-image.tar')];
  assert.equal(other.slice(0, -1), plain);
  const names = ({ components }: Bom) =>
    components.map(({ purl }) => purl).filter((purl) => purl.startsWith('pkg:npm/'));
  const more = names(bomOf(tree, 'certwheel-pkcs11-sbom.json')).filter(
    (each) => !names(bomOf(tree, 'certwheel-sbom.json')).includes(each),
  );
  assert.equal(more, ['pkg:npm/pkcs11js@2.1.7']);
});

test('its native module needs no library that the image lacks', async () => {
  const { tree } = await built.get();
  const module = tree.dist('rootfs-pkcs11/app/pkcs11js/build/Release/pkcs11.node');
  const needed = [...execFileSync('ldd', [module], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map(
    ([, path]) => path,
  );
  assert.ok(needed.length > 0);
  for (const path of needed) assert.ok(existsSync(join(tree.dist('rootfs-pkcs11'), path ?? '')), path);
});

test('its programs issue a certificate with a key in a token, and those of the plain image say that they cannot', async () => {
  const { tree } = await built.get();
  const world = await worlds.get();
  const hsm = await startSoftHsm(`*/${TOKEN.token}`);
  await hsm.addToken(TOKEN.token, TOKEN.pin);
  await hsm.addKey(TOKEN, { label: 'ca', id: '01' });
  const uri = `pkcs11:token=${TOKEN.token};object=ca`;
  const where = await place(world);
  await putPin(where, TOKEN.pin);
  await putCertificate(where, await hsm.selfSign(uri, TOKEN.pin, '/CN=Image'));
  await createAuthority(where, 'pkcs11', pkcs11Spec(uri));

  const flags = ['--pkcs11-module', hsm.library, '--pkcs11-tenant-tokens', `*/${TOKEN.token}`];
  const start = (rootfs: string, more: readonly string[]) =>
    startController(world.cluster.kubeconfigPath, [...flags, ...more], tree.dist(`${rootfs}/app/certwheel.mjs`));
  const plain = await start('rootfs', []);
  await untilAuthority(where, {
    status: 'False',
    reason: 'BackendDisabled',
    says: 'install Certwheel with the image certwheel-pkcs11',
  });
  await plain.stop();

  await start('rootfs-pkcs11', ['--pkcs11-addon', tree.dist('rootfs-pkcs11/app/pkcs11js')]);
  await untilAuthority(where);
  await create(world, clientCertificate(where.namespace, 'alice'));
  await untilReady(world, where.namespace, 'alice');
});

test.run();
