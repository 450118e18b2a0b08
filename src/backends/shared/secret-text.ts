import { type BackendDeps, dataAt } from '../backend-deps.ts';
import { type CredentialsSecret, noKey, noSecret, unusable } from './credentials-secret.ts';

/**
 * A token or the like from a Secret of the authority's namespace: one word of visible ASCII. `all` lists the keys of the
 * Secret where there are several. Throws an AuthorityError that names the Secret and the key, and how to write it.
 */
export async function secretText(
  { name, key }: { readonly name: string; readonly key: string },
  deps: Pick<BackendDeps, 'secret' | 'objects'>,
  all: readonly string[] = [key],
): Promise<string> {
  const secret: CredentialsSecret = { name, files: Object.fromEntries(all.map((each) => [each, 'FILE'])) };
  const content = await deps.secret(name);
  if (content === undefined) throw noSecret(secret, deps);
  // Editors and echo leave a newline behind, which is part of no token.
  const value = dataAt(content, key)?.toString('latin1').trim() ?? '';
  if (value === '') throw noKey(secret, key, deps);
  // It becomes a header, which can carry nothing else.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw unusable(secret, key, 'it holds more than one word, and must hold the value alone', deps);
  // As jq prints a value without --raw-output.
  if (/^(["']).*\1$/.test(value))
    throw unusable(secret, key, 'the value is in quotation marks, which must not be part of it', deps);
  return value;
}
