import { TerminalError } from '../errors.ts';

/** As much of a schema as has fields below it. */
export interface Fields {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Fields>>;
  readonly items?: Fields;
  readonly additionalProperties?: Fields | boolean;
}

/**
 * Only where the CRD is newer than this process does the API server store a field that the schema doesn't list. In what
 * restricts the issuance it may be one more restriction: throws a TerminalError that names it.
 */
export function refuseUnknownFields(value: unknown, schema: Fields, path: string): void {
  const unknown = unknownField(value, schema, path);
  if (unknown !== undefined)
    throw new TerminalError(
      'InvalidSpec',
      `${unknown} is a field that this version of Certwheel does not know, and it may forbid what the others allow; update the controller to the version of the CRDs, or remove the field`,
    );
}

function unknownField(value: unknown, { properties, items }: Fields, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const below: [unknown, Fields | undefined, string][] = Array.isArray(value)
    ? value.map((each, index) => [each, items, `${path}[${index}]`])
    : Object.entries(value).map(([key, each]) => [
        each,
        properties === undefined || Object.hasOwn(properties, key) ? (properties?.[key] ?? {}) : undefined,
        `${path}.${key}`,
      ]);
  for (const [each, schema, at] of below) {
    const unknown = schema === undefined ? at : unknownField(each, schema, at);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}
