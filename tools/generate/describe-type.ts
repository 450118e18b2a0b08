/** The type of a field with its bounds, in words: "string, 1 to 64 characters". */
import type { Schema } from './crd.ts';

export function describeType(schema: Schema): string {
  if (schema.items !== undefined) return [`list of ${describeEach(schema.items)}`, ...listBounds(schema)].join(', ');
  if (schema.additionalProperties !== undefined) {
    return [`map of string to ${describeEach(schema.additionalProperties)}`, ...mapBounds(schema)].join(', ');
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.format === 'date-time') return 'date and time (RFC 3339)';
  return [schema.type, ...valueBounds(schema)].join(', ');
}

/** The bounds of an entry are set off from those of the list. */
function describeEach(schema: Schema): string {
  const [type = '', ...bounds] = describeType(schema).split(', ');
  return bounds.length === 0 ? type : `${type} (${bounds.join(', ')})`;
}

function listBounds({ minItems, maxItems, ...schema }: Schema): string[] {
  const count = range(minItems, maxItems, 'entries');
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'set') count.push('none twice');
  if (listType === 'map') count.push(`one per ${schema['x-kubernetes-list-map-keys']?.join(' and ')}`);
  return count;
}

function mapBounds({ maxProperties }: Schema): string[] {
  return range(undefined, maxProperties, 'entries');
}

function valueBounds({ minLength, maxLength, minimum, maximum }: Schema): string[] {
  return [...range(minLength, maxLength, 'characters'), ...range(minimum, maximum, '')];
}

function range(from: number | undefined, to: number | undefined, unit: string): string[] {
  if (from === undefined && to === undefined) return [];
  const span = from === undefined ? `at most ${to}` : to === undefined ? `at least ${from}` : `${from} to ${to}`;
  return [unit === '' ? span : `${span} ${unit}`];
}
