/** crds/*.yaml -> src/api/generated/types.ts */
import { isDeepStrictEqual } from 'node:util';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { alwaysThere, type Definition, GENERATED_BY, type Schema } from './crd.ts';
import type { Outputs } from './outputs.ts';
import { typeName } from './type-names.ts';

const HEADER = `// ${GENERATED_BY}
// The resources as they are read: what the API server fills in by default is always there.
`;

export async function generateTypes(definitions: Definition[]): Promise<Outputs> {
  const types = new Types();
  // One object that holds all the kinds makes the compiler write them into one file, with the shared types once.
  const root: JSONSchema = {
    type: 'object',
    description: 'Spec and status of each kind.',
    required: definitions.map(({ kind }) => kind),
    properties: Object.fromEntries(definitions.map((definition) => [definition.kind, types.resource(definition)])),
  };
  const content = await compile(root, 'Resources', {
    bannerComment: HEADER,
    additionalProperties: false,
    style: { singleQuote: true, printWidth: 120, endOfLine: 'lf' },
  });
  return { 'src/api/generated/types.ts': content };
}

/** Translates schemas. The compiler writes a type once where it meets the same object again, so named ones are kept. */
class Types {
  readonly #named = new Map<string, JSONSchema>();

  resource({ kind, schema }: Definition): JSONSchema {
    const parts = ['spec', 'status'].filter((name) => schema.properties?.[name] !== undefined);
    const translated = parts.map((name) => [name, this.#translate(property(schema, name), kind, name)]);
    return { type: 'object', required: parts, properties: Object.fromEntries(translated) };
  }

  #translate(schema: Schema, kind: string, path: string): JSONSchema {
    if (schema.properties !== undefined) return this.#object(schema, kind, path);
    if (schema.items !== undefined) {
      return { type: 'array', ...described(schema), items: this.#translate(schema.items, kind, `${path}[]`) };
    }
    if (schema.additionalProperties !== undefined) {
      const values = this.#translate(schema.additionalProperties, kind, `${path}.*`);
      return { type: 'object', ...described(schema), additionalProperties: values };
    }
    return {
      type: schema.type,
      ...described(schema),
      ...(schema.enum === undefined ? {} : { enum: schema.enum as string[] }),
    };
  }

  #object(schema: Schema, kind: string, path: string): JSONSchema {
    const names = Object.keys(schema.properties ?? {});
    const translated: JSONSchema = {
      type: 'object',
      ...described(schema),
      required: names.filter((name) => alwaysThere(schema, name)),
      properties: Object.fromEntries(
        names.map((name) => [name, this.#translate(property(schema, name), kind, `${path}.${name}`)]),
      ),
    };
    return this.#name(typeName(kind, path), translated);
  }

  #name(name: string, schema: JSONSchema): JSONSchema {
    const known = this.#named.get(name);
    if (known === undefined) {
      const titled = { title: name, ...schema };
      this.#named.set(name, titled);
      return titled;
    }
    if (!isDeepStrictEqual(shape(known), shape(schema)))
      throw new Error(`two different objects are named ${name} in TypeScript`);
    return known;
  }
}

function property(schema: Schema, name: string): Schema {
  const child = schema.properties?.[name];
  if (child === undefined) throw new Error(`the schema has no property ${name}`);
  return child;
}

function described({ description }: Schema): { description?: string } {
  return description === undefined ? {} : { description: wrap(description) };
}

/** Breaks lines, so that a description reads as a comment does. */
function wrap(text: string): string {
  return text.replaceAll(/(.{1,105})(?: |$)/g, '$1\n').trimEnd();
}

/** What makes two types the same: everything but what is said about them. */
function shape(schema: JSONSchema): unknown {
  return JSON.parse(JSON.stringify(schema, (key, value) => (isText(key, value) ? undefined : value)));
}

function isText(key: string, value: unknown): boolean {
  return (key === 'description' || key === 'title') && typeof value === 'string';
}
