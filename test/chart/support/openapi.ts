/** The API server's own OpenAPI documents, as the JSON schemas that kubeconform reads. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../../cluster/control-plane.ts';

type Schema = { [keyword: string]: unknown };

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Where kubeconform is to look, below the folder. */
export const SCHEMA_PATH = '{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json';

/** Writes a schema for each kind that the API server knows, closed against unknown fields; answers how many. */
export async function writeSchemas(cluster: ControlPlane, folder: string): Promise<number> {
  const get = async (path: string) => JSON.parse((await cluster.kubectl(['get', '--raw', path])).stdout);
  const { paths } = (await get('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
  let written = 0;
  for (const [path, { serverRelativeURL }] of Object.entries(paths)) {
    if (!/^apis?\/.*v\d/.test(path)) continue;
    const { components } = (await get(serverRelativeURL)) as Document;
    const definitions = closeAll(components?.schemas ?? {});
    for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
      for (const { group, version, kind } of kindsOf(schema)) {
        // kubeconform takes what stands before the slash of an apiVersion for the group: v1, where there is none.
        const groupFolder = join(folder, group || version);
        await mkdir(groupFolder, { recursive: true });
        const content = { $ref: `#/definitions/${name}`, definitions };
        await writeFile(join(groupFolder, `${kind.toLowerCase()}_${version}.json`), JSON.stringify(content));
        written += 1;
      }
    }
  }
  return written;
}

function kindsOf(schema: Schema): readonly Kind[] {
  const kinds = (schema['x-kubernetes-group-version-kind'] ?? []) as Kind[];
  // Options of requests belong to every group and are in none.
  return kinds.length === 1 ? kinds : [];
}

function closeAll(schemas: Readonly<Record<string, Schema>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema)]));
}

/** A field that isn't there is a mistake in a manifest, as it is for `kubectl apply --validate=strict`. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const schema = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, closed(child)])) as Schema;
  if (typeof schema.$ref === 'string') schema.$ref = schema.$ref.replace('#/components/schemas/', '#/definitions/');
  const isObject = schema.type === 'object' && typeof schema.properties === 'object';
  if (isObject && schema.additionalProperties === undefined && !schema['x-kubernetes-preserve-unknown-fields'])
    schema.additionalProperties = false;
  return schema;
}
