/** A Secret that a spec names, and the field that names it, such as `vault.auth.tokenSecretRef`. */
export interface SecretReference {
  readonly field: string;
  readonly name: string;
}

/** A spec that passed the schema is nowhere as deep; one that is broken may be anything. */
const DEEPEST = 16;

/** A Secret that Certwheel writes is public, and none of it is read: here a reference ends with SecretRef. */
const WRITTEN = 'trust.targets';

/**
 * Every Secret that the spec of an authority names. Found by the names of its fields, since a backend that forgot to list
 * one would leave its key unprotected, and since a spec that is broken has no backend to ask.
 */
export function secretReferences(spec: unknown): readonly SecretReference[] {
  return [...walk(spec, '', 0)];
}

function* walk(value: unknown, path: string, depth: number): Generator<SecretReference> {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return;
  for (const [key, inner] of Object.entries(value)) {
    const field = path === '' ? key : `${path}.${key}`;
    const isRead = field.startsWith(WRITTEN) ? key.endsWith('SecretRef') : /secret/i.test(key);
    const name = isRead ? nameIn(inner) : undefined;
    if (name !== undefined) yield { field, name };
    yield* walk(inner, field, depth + 1);
  }
}

function nameIn(value: unknown): string | undefined {
  const name = typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : value;
  return typeof name === 'string' && name !== '' ? name : undefined;
}
