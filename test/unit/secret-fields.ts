import { join } from 'node:path';
import { fields, readDefinitions } from '../../tools/generate/crd.ts';

const DEFINITIONS = await readDefinitions(join(import.meta.dirname, '../../crds'));

/** The fields below `spec` that the CRD of this kind describes as the name of a Secret, such as `secret.name`. */
export function secretFields(kind: string): readonly string[] {
  const definition = DEFINITIONS.find((each) => each.kind === kind);
  const all = definition === undefined ? [] : [...fields(definition.schema)];
  return all
    .filter(({ path, schema }) => path.startsWith('spec.') && /^Name of (the|a) Secret/.test(schema.description ?? ''))
    .map(({ path }) => path.replace(/^spec\./, ''));
}
