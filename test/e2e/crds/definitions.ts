/** What the YAML in crds/ says, for tests that go through all of it. */
import { join } from 'node:path';
import { type Definition, fields, type Rule, readDefinitions, type Schema } from '../../../tools/generate/crd.ts';
import type { Kind } from './samples.ts';

export const DEFINITIONS: Definition[] = await readDefinitions(join(import.meta.dirname, '../../../crds'));

export function definitionOf(kind: Kind): Definition {
  const found = DEFINITIONS.find((definition) => definition.kind === kind);
  if (found === undefined) throw new Error(`crds/ has no ${kind}`);
  return found;
}

export interface LocatedRule extends Rule {
  kind: Kind;
  path: string;
}

export function allRules(): LocatedRule[] {
  return DEFINITIONS.flatMap(({ kind, schema }) =>
    [...fields(schema)].flatMap(({ path, schema }) =>
      (schema['x-kubernetes-validations'] ?? []).map((rule) => ({ ...rule, kind: kind as Kind, path })),
    ),
  );
}

export type { Definition, Schema };
