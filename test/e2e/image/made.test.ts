import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../support/lazily.ts';
import { Tree } from './tree.ts';

const WHEN = { SOURCE_DATE_EPOCH: '1700000000' };
const ELSEWHERE = { ...WHEN, TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: '/nonexistent' };
const FILES = ['certwheel-image.tar', 'certwheel-sbom.json'];

const made = lazily(async () => {
  const [tree, other] = [new Tree('one'), new Tree('some/where/else')];
  tree.build(WHEN);
  other.build(ELSEWHERE, '077');
  const otherDigests = digests(other);
  return {
    tree,
    other,
    otherDigests,
    async stop() {
      tree.remove();
      other.remove();
    },
  };
});
test.after(made.stop);

function digests(tree: Tree): string[] {
  return FILES.map((name) =>
    createHash('sha256')
      .update(readFileSync(tree.dist(name)))
      .digest('hex'),
  );
}

/** A file at the top of the archive. */
function inArchive(tree: Tree, name: string) {
  return JSON.parse(execFileSync('tar', ['-xOf', tree.dist('certwheel-image.tar'), name], { encoding: 'utf8' }));
}

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly 'bom-ref': string;
  readonly licenses?: readonly object[];
  readonly components?: readonly Component[];
}

async function bom() {
  const { tree } = await made.get();
  return JSON.parse(readFileSync(tree.dist('certwheel-sbom.json'), 'utf8'));
}

test('built in another folder, time zone and umask, it is the same to the last byte', async () => {
  const { tree, otherDigests } = await made.get();
  assert.equal(digests(tree), otherDigests);
});

test('another moment of the source gives another image, but the same lower layer', async () => {
  const { tree, other } = await made.get();
  other.build({ SOURCE_DATE_EPOCH: '1700000001' });
  const [[runtime, app], [otherRuntime, otherApp]] = [tree, other].map(
    (each) => inArchive(each, 'manifest.json')[0].Layers,
  ) as [string[], string[]];
  assert.is(otherRuntime, runtime);
  assert.is.not(otherApp, app);
});

test('the SBOM is CycloneDX 1.6, by the schema of its makers', async () => {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
    'res/schema',
  );
  const schema = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  addFormats.default(ajv);
  // Not among the formats of that package.
  ajv.addFormat('idn-email', /^\S+@\S+$/).addFormat('iri-reference', /^\S*$/);
  const validate = ajv.compile(schema('bom-1.6'));
  const found = await bom();
  validate(found);
  assert.equal(validate.errors, null);
  // So that a schema which was not understood can't call everything valid.
  assert.not.ok(validate({ ...found, serialNumber: '1' }));
  assert.not.ok(
    validate({ ...found, components: [{ ...found.components[0], licenses: [{ license: { id: 'None' } }] }] }),
  );
});

test('the SBOM lists the npm packages of the bundle, no other, each with its licence', async () => {
  const { tree } = await made.get();
  const maps = readdirSync(tree.dist('rootfs/app')).filter((name) => name.endsWith('.mjs.map'));
  const sources = maps.flatMap((name) => JSON.parse(readFileSync(tree.dist(`rootfs/app/${name}`), 'utf8')).sources);
  const inMap = sources.flatMap((each: string) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(each)?.[1] ?? []);
  const listed: Component[] = (await bom()).components.filter(({ purl }: Component) => purl.startsWith('pkg:npm/'));
  const names = new Set(listed.map(({ name }) => name));
  assert.equal([...names].sort(), [...new Set(inMap)].sort());
  for (const { name, licenses } of listed) assert.is(licenses?.length, 1, name);
  assert.ok(names.has('undici') && names.has('winston') && names.size > 30);
  assert.not.ok(names.has('typescript') || names.has('uvu') || names.has('esbuild'));
});

test('the SBOM names the versions of Node, OpenSSL and the Debian packages', async () => {
  const components: Component[] = (await bom()).components;
  const node = components.find(({ name }) => name === 'node');
  assert.is(node?.version, process.versions.node);
  assert.is(node?.components?.find(({ name }) => name === 'openssl')?.version, process.versions.openssl);
  const installed = execFileSync('dpkg-query', ['-W', '-f', `\${Version}`, 'libc6'], { encoding: 'utf8' });
  assert.is(components.find(({ name }) => name === 'libc6')?.version, installed);
});

test('every reference of the SBOM leads somewhere, and what it describes is the image', async () => {
  const { tree } = await made.get();
  const { components, dependencies, metadata } = await bom();
  const refs = [metadata.component, ...components].map((each: Component) => each['bom-ref']);
  assert.is(new Set(refs).size, refs.length);
  assert.equal(dependencies.map(({ ref }: { ref: string }) => ref).sort(), refs.toSorted());
  for (const { ref, dependsOn = [] } of dependencies)
    for (const each of dependsOn) assert.ok(refs.includes(each), `${ref} depends on ${each}`);
  assert.is(`sha256:${metadata.component.hashes[0].content}`, inArchive(tree, 'index.json').manifests[0].digest);
});

test.run();
