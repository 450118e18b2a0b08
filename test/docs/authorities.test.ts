import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMON_FIELDS } from '../../src/api/certificate-authority.ts';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';
import { readDefinitions } from '../../tools/generate/crd.ts';
import { fileNameOf, placesOf, type Traits } from './authority-places.ts';
import { matching, read } from './place.ts';

// A new kind of authority is complete when this passes; see docs/adding-an-authority.md.

const DEFINITIONS: readonly BackendDefinition<never>[] = BACKENDS;
const AUTHORITIES = (await readDefinitions(join(import.meta.dirname, '../../crds'))).filter(({ kind }) =>
  kind.endsWith('CertificateAuthority'),
);

function specOf({ schema }: (typeof AUTHORITIES)[number]) {
  return schema.properties?.spec?.properties ?? {};
}

function hasServer(type: string): boolean {
  return AUTHORITIES.some((authority) => specOf(authority)[type]?.properties?.server !== undefined);
}

/** Throws an assertion that lists each file with the line to add. */
function assertComplete(traits: Traits): void {
  const missing = placesOf(traits).filter(({ isThere }) => !isThere);
  if (missing.length === 0) return;
  const message = `${traits.type} is missing in ${missing.length} places`;
  const details = missing.map(({ at, add }) => `${at}: ${add}\n`).join('');
  throw new assert.Assertion({ message, details, operator: '', expects: [], actual: missing });
}

for (const definition of DEFINITIONS)
  test(`${definition.type} is in every place that names the kinds of authority`, () =>
    assertComplete({ ...definition, hasServer: hasServer(definition.type) }));

test('whatever the schema admits is known, and whatever stands for a backend belongs to one', () => {
  const types = DEFINITIONS.map(({ type }) => type).sort();
  for (const authority of AUTHORITIES) {
    const backends = Object.keys(specOf(authority)).filter((field) => !COMMON_FIELDS.includes(field));
    assert.equal(backends.sort(), types);
  }
  const names = types.map(fileNameOf);
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
  const { remote, local } = Object.groupBy(DEFINITIONS, ({ capabilities }) =>
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

test('a kind that no place names lacks all of them, and each place says what to write', () => {
  for (const { type, ...definition } of DEFINITIONS)
    for (const withServer of [true, false]) {
      const places = placesOf({ ...definition, type: 'pigeonPost', hasServer: withServer });
      assert.equal(
        places.filter(({ isThere }) => isThere),
        [],
        type,
      );
      for (const { at, add } of places) assert.match(`${at}: ${add}`, /pigeon-?post/i);
    }
});

test.run();
