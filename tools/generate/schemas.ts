/** crds/*.yaml -> src/api/generated/schemas.ts, which is what ajv checks objects with. */

import { type Definition, GENERATED_BY, type Schema } from './crd.ts';
import type { Outputs } from './outputs.ts';

export function generateSchemas(definitions: Definition[]): Outputs {
  const content = [
    `// ${GENERATED_BY}\n`,
    "// The schemas of the CRDs for ajv with useDefaults. The CEL rules aren't in here: only the API server checks them.\n",
    ...definitions.map(constants),
  ];
  return { 'src/api/generated/schemas.ts': content.join('\n') };
}

/** ClientCertificate -> clientCertificateSchema, clientCertificateSpecSchema */
function constants({ kind, schema }: Definition): string {
  const name = kind.charAt(0).toLowerCase() + kind.slice(1);
  return `export const ${name}Schema = ${JSON.stringify(forAjv(schema), null, 2)} as const;

export const ${name}SpecSchema = ${name}Schema.properties.spec;
`;
}

const KEPT = [
  'type',
  'default',
  'enum',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const satisfies (keyof Schema)[];

function forAjv(schema: Schema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const keyword of KEPT) if (schema[keyword] !== undefined) result[keyword] = schema[keyword];
  // A structural schema may not say uniqueItems; list-type set is how it says the same.
  if (schema['x-kubernetes-list-type'] === 'set') result.uniqueItems = true;
  if (schema.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, child]) => [name, forAjv(child)]),
    );
  }
  if (schema.items !== undefined) result.items = forAjv(schema.items);
  if (schema.additionalProperties !== undefined) result.additionalProperties = forAjv(schema.additionalProperties);
  return result;
}
