/** Every type, pattern, enum, bound, required field and set in crds/ is enforced, by the API server and by ajv alike. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fields } from '../../../tools/generate/crd.ts';
import { lazily } from '../support/lazily.ts';
import { check } from './ajv.ts';
import { type Answer, collection, DRY_RUN, type Json, startWithCrds } from './api.ts';
import { DEFINITIONS } from './definitions.ts';
import { probes } from './probes.ts';
import { FULL, type Kind, merge } from './samples.ts';

/** The status can only be written to an object that exists; its full version is put into the server once. */
const shared = lazily(async () => {
  const api = await startWithCrds();
  const stored = new Map<string, Json>();
  for (const [kind, [first]] of Object.entries(FULL) as [Kind, readonly Json[]][]) {
    const created = await api.send('POST', collection(kind), first ?? {});
    assert.is(created.status, 201, JSON.stringify(created.causes));
    stored.set(kind, created.body);
  }
  return { api, stored };
});
test.after(shared.stop);

async function submit(kind: Kind, path: string, object: Json): Promise<Answer> {
  const { api, stored } = await shared.get();
  if (!path.startsWith('status'))
    return api.send('POST', `${collection(kind)}${DRY_RUN}`, merge(object, { metadata: { name: 'probe' } }));
  const body = { ...stored.get(kind), status: object.status };
  return api.send('PUT', `${collection(kind)}/sample/status${DRY_RUN}`, body);
}

for (const definition of DEFINITIONS) {
  const kind = definition.kind as Kind;

  test(`${kind} accepts its full samples`, async () => {
    for (const sample of FULL[kind]) {
      assert.is((await submit(kind, 'spec', sample)).status, 201);
      assert.is(check(kind, sample).problem, undefined);
    }
    const hasStatus = definition.schema.properties?.status !== undefined;
    if (hasStatus) assert.is((await submit(kind, 'status', FULL[kind][0] ?? {})).status, 200);
  });

  test(`${kind} enforces each bound of its schema`, async () => {
    const all = probes(definition, FULL[kind]);
    assert.ok(all.length > 80, `only ${all.length} probes`);
    const failures: string[] = [];
    for (const { name, path, says, field, serverOnly, object } of all) {
      const { status, causes } = await submit(kind, path, object);
      const said = causes.some((cause) => says.test(cause.message ?? '') && field.test(cause.field ?? ''));
      if (status !== 422) failures.push(`${name} was answered with ${status}`);
      else if (!said) failures.push(`${name}: ${JSON.stringify(causes)}`);
      if (!serverOnly && check(kind, object).problem === undefined) failures.push(`${name} was accepted by ajv`);
    }
    assert.equal(failures, []);
  });

  test(`${kind} has a description and a bound for each field`, () => {
    const faults = [...fields(definition.schema)].flatMap(({ path, schema }) => {
      const named = !path.endsWith('[]') && !path.endsWith('.*') && !path.startsWith('metadata');
      const faults: string[] = [];
      if (named && (schema.description ?? '').length < 10) faults.push('description');
      if (path === '' || !/^(spec|status)\b/.test(path)) return faults.map((fault) => `${path}: no ${fault}`);
      const choice = schema.enum !== undefined || schema.format === 'date-time';
      if (schema.type === 'string' && !choice && schema.maxLength === undefined) faults.push('maxLength');
      if (schema.type === 'array' && schema.maxItems === undefined) faults.push('maxItems');
      if (schema.type === 'array' && schema['x-kubernetes-list-type'] === undefined) faults.push('list type');
      if (schema.additionalProperties !== undefined && schema.maxProperties === undefined) faults.push('maxProperties');
      if (schema.type === 'integer' && schema.minimum === undefined) faults.push('minimum');
      return faults.map((fault) => `${path}: no ${fault}`);
    });
    assert.equal(faults, []);
  });
}

test.run();
