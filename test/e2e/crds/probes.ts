/** Breaks each bound of a schema, one at a time, in an object that is valid otherwise. */
import { fields } from '../../../tools/generate/crd.ts';
import type { Json } from './api.ts';
import type { Definition, Schema } from './definitions.ts';

export interface Probe {
  /** `spec.dnsNames[]: maxLength` */
  name: string;
  path: string;
  /** What the API server says of it, and of which field. */
  says: RegExp;
  field: RegExp;
  /** ajv has no list keyed by a field, and no integer beyond those of JavaScript. */
  serverOnly: boolean;
  object: Json;
}

type Break = (value: unknown, schema: Schema) => unknown;

/** For each keyword a value that it refuses, and the words in which the API server refuses it. */
const BREAKS: Partial<Record<keyof Schema, [RegExp, Break]>> = {
  type: [/must be of type|Invalid value/, (value) => (typeof value === 'string' ? 7 : 'a string')],
  maxLength: [/Too long/, (_, schema) => 'a'.repeat((schema.maxLength ?? 0) + 1)],
  minLength: [/should be at least \d+ chars? long/, () => ''],
  // No pattern admits a control character.
  pattern: [/should match/, (_, schema) => '\u0001'.repeat(schema.minLength ?? 1)],
  enum: [/Unsupported value/, (value) => (typeof value === 'boolean' ? !value : 'nonsense')],
  minimum: [/greater than or equal to/, (_, schema) => (schema.minimum ?? 0) - 1],
  maximum: [/less than or equal to/, (_, schema) => (schema.maximum ?? 0) + 1],
  format: [
    /must be of type|should be less|Invalid value/,
    (value) => (typeof value === 'string' ? 'yesterday' : 2 ** 63),
  ],
  maxItems: [/Too many|must have at most/, (value, schema) => repeat(value, (schema.maxItems ?? 0) + 1)],
  minItems: [/at least \d+ items?/, () => []],
  maxProperties: [/Too many|must have at most/, (_, schema) => manyKeys((schema.maxProperties ?? 0) + 1)],
  'x-kubernetes-list-type': [/Duplicate value/, (value) => repeat(value, 2)],
};

function repeat(value: unknown, count: number): unknown[] {
  const [first] = value as unknown[];
  return Array.from({ length: count }, () => first);
}

function manyKeys(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'x']));
}

/** Fields that are there to be refused with a reason, so no valid sample has them. */
const NEVER_VALID = /^spec\.keystores\.\w+\.password$/;

/** Throws where no sample has the field, so that samples stay complete. */
export function probes({ kind, schema }: Definition, samples: readonly Json[]): Probe[] {
  return [...fields(schema)]
    .filter(({ path }) => /^(spec|status)\b/.test(path) && !NEVER_VALID.test(path))
    .flatMap(({ path, schema }) => {
      const sample = samples.find((candidate) => read(candidate, path) !== undefined);
      if (sample === undefined) throw new Error(`no full sample of ${kind} has ${path}`);
      return [...breaks(path, schema, sample), ...missing(path, schema, sample)];
    });
}

function breaks(path: string, schema: Schema, sample: Json): Probe[] {
  const keywords = (Object.keys(BREAKS) as (keyof Schema)[]).filter((keyword) => applies(keyword, schema));
  return keywords.map((keyword) => {
    const [says, broken] = BREAKS[keyword] as [RegExp, Break];
    const value = broken(read(sample, path), schema);
    const serverOnly = schema.format === 'int64' ? keyword === 'format' : isKeyed(keyword, schema);
    const object = replaced(sample, path, value);
    return { name: `${path}: ${keyword}`, path, says, field: fieldPattern(path), serverOnly, object };
  });
}

function applies(keyword: keyof Schema, schema: Schema): boolean {
  if (keyword === 'x-kubernetes-list-type') return schema[keyword] === 'set' || schema[keyword] === 'map';
  return schema[keyword] !== undefined;
}

function isKeyed(keyword: keyof Schema, schema: Schema): boolean {
  return keyword === 'x-kubernetes-list-type' && schema[keyword] === 'map';
}

/** Matches `spec.dnsNames[0]` for `spec.dnsNames[]`, and what lies below. */
function fieldPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.*', '.[^.]+').replaceAll('[]', '\\[\\d+\\]')}`);
}

function missing(path: string, schema: Schema, sample: Json): Probe[] {
  const required = (schema.required ?? []).filter((name) => schema.properties?.[name]?.default === undefined);
  return required.map((name) => {
    const field = `${path}.${name}`;
    const object = replaced(sample, field, undefined);
    return {
      name: `${field}: required`,
      path: field,
      says: /Required value/,
      field: fieldPattern(field),
      serverOnly: false,
      object,
    };
  });
}

/** The keys on the way to a field; `[]` is the first entry of a list, `*` the first key of a map. */
function steps(path: string): string[] {
  return path.replaceAll('[]', '.[]').split('.');
}

function read(value: unknown, path: string): unknown {
  return steps(path).reduce((current, step) => (current as Json | undefined)?.[key(current, step)], value);
}

function key(container: unknown, step: string): string {
  if (step === '[]') return '0';
  return step === '*' ? (Object.keys(container ?? {})[0] ?? '') : step;
}

function replaced(sample: Json, path: string, value: unknown): Json {
  const object = structuredClone(sample);
  const way = steps(path);
  const last = way.pop() ?? '';
  const container = way.reduce<unknown>((current, step) => (current as Json)[key(current, step)], object) as Json;
  const name = key(container, last);
  if (value === undefined) delete container[name];
  else container[name] = value;
  return object;
}
