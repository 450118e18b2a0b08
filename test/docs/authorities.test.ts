import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';

// A kind of authority is done when all of this is there; docs/adding-an-authority.md tells how.

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => (existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : '');
const matching = (pattern: string) => globSync(pattern, { cwd: ROOT });

/** `stepCA` is `step-ca` wherever a file is called after it. */
const fileName = (type: string) => type.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

/** Those whose CA key Certwheel holds: they have no other side to set up, or to lie. */
const OWN_CA: readonly string[] = ['secret', 'selfManaged'];

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: { readonly spec: { readonly properties: Readonly<Record<string, unknown>> } };
        };
      };
    }[];
  };
}

function backendsOf(plural: string): string[] {
  const crd = load(read(`crds/${plural}.yaml`)) as Crd;
  const fields = Object.keys(crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {});
  return fields.filter(
    (field) =>
      !['limits', 'rateLimit', 'quota', 'allowSystemIdentities', 'allowedNamespaces', 'issuancePolicy'].includes(field),
  );
}

/** What a kind of authority lacks, in words. */
function lacking(type: string): string[] {
  const name = fileName(type);
  const isOwnCa = OWN_CA.includes(type);
  const page = isOwnCa ? 'docs/how-it-works.md' : `docs/authorities/${name}.md`;
  const suite = `test/e2e/backends/${name}.test.ts`;
  const key = new RegExp(`^  ${type}:`, 'm');
  const needs: Readonly<Record<string, boolean>> = {
    [`its file src/backends/${name}.ts`]: read(`src/backends/${name}.ts`).includes(`type: '${type}'`),
    'its line in src/backends/index.ts': BACKENDS.some((each) => each.type === type),
    'its key in crds/certificateauthorities.yaml': backendsOf('certificateauthorities').includes(type),
    'its key in crds/clustercertificateauthorities.yaml': backendsOf('clustercertificateauthorities').includes(type),
    [`an example in examples/authorities/${name}`]: matching(`examples/authorities/${name}/*.yaml`).some((file) =>
      key.test(read(file)),
    ),
    [`its page ${page}`]: read(page).includes(type),
    'its row in the table of README.md': new RegExp(`^\\| \\[\`${type}\`\\]`, 'm').test(read('README.md')),
    'what it needs of the network in docs/install.md': new RegExp(`^\\|.*\`${type}\`.*\\|`, 'm').test(
      read('docs/install.md'),
    ),
    [`its suite ${suite}`]: read(suite).includes('conformance('),
    [`its wrong answers test/e2e/backends/${name}-wrong-answers.test.ts`]:
      isOwnCa || read(`test/e2e/backends/${name}-wrong-answers.test.ts`).includes('wrongAnswers({'),
    'the server and its version, printed by its suite':
      isOwnCa || matching(`test/e2e/backends/{,*/}${name}*.ts`).some((file) => /console\.log\(`# /.test(read(file))),
  };
  return Object.entries(needs).flatMap(([what, there]) => (there ? [] : [what]));
}

for (const { type } of BACKENDS) test(`${type} lacks nothing`, () => assert.equal(lacking(type), []));

test('whatever the schema admits is known, and whatever stands for a backend belongs to one', () => {
  const types = BACKENDS.map(({ type }) => type as string).sort();
  for (const plural of ['certificateauthorities', 'clustercertificateauthorities'])
    assert.equal(backendsOf(plural).sort(), types);
  const names = types.map(fileName);
  const strays = [
    ...matching('docs/authorities/*.md').map((path) => path.slice('docs/authorities/'.length, -'.md'.length)),
    ...matching('examples/authorities/*').map((path) => path.slice('examples/authorities/'.length)),
  ].filter((name) => !names.includes(name));
  assert.equal(strays, []);
  const defined = matching('src/backends/**/*.ts')
    .map((path) => /: BackendDefinition<[^{]*= \{\s*type: '(\w+)'/.exec(read(path))?.[1])
    .filter((type) => type !== undefined);
  assert.equal(defined.sort(), types);
});

test('each that is another machine has a rate which it bears, and the schema says which', () => {
  const { remote, local } = Object.groupBy(BACKENDS as readonly BackendDefinition<never>[], ({ capabilities }) =>
    capabilities.remote ? 'remote' : 'local',
  );
  assert.equal(
    local?.flatMap(({ capabilities }) => capabilities.rateLimit ?? []),
    [],
  );
  const text = read('crds/certificateauthorities.yaml').replaceAll(/\s+/g, ' ');
  const [, sentence = ''] = /Without it a default holds: (.*?), with bursts of twice as many/.exec(text) ?? [];
  const told = [...sentence.matchAll(/(\d+)(?: per second)? for (\w+)(?: and (\w+))?/g)].flatMap(
    ([, requests, ...types]) =>
      types.flatMap((type) => (type === undefined ? [] : `${type}: ${requests}, ${requests}`)),
  );
  const actual = remote?.map(({ type, capabilities: { rateLimit } }) => {
    const perSecond = ((rateLimit?.requests ?? 0) * 1_000) / (rateLimit?.perMs ?? 1);
    return `${type}: ${perSecond}, ${(rateLimit?.burst ?? 0) / 2}`;
  });
  assert.equal(told.sort(), actual?.sort());
});

test('one that has nothing gets the list of all that it lacks', () => {
  assert.is(lacking('pigeonPost').length, 11);
});

test.run();
