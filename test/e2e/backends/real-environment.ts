import { readFileSync } from 'node:fs';
import { messageOf } from '../../../src/thrown.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The values of these variables. Throws an Error that names all that are not set, and the page that describes them. */
export function required<Name extends string>(
  env: Environment,
  page: string,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0)
    throw new Error(`${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set; see ${page}`);
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<Name, string>;
}

/** The text of the file that a variable names. Throws an Error that names both. */
export function fileOf<Name extends string>(given: Readonly<Record<Name, string>>, name: Name): string {
  try {
    return readFileSync(given[name], 'utf8');
  } catch (error) {
    throw new Error(`${name}: the file can't be read: ${messageOf(error)}`);
  }
}

/** Base64 of the CA certificates in the file that a variable names, as `caBundle` has them; undefined where it isn't set. */
export function caBundleOf(env: Environment, name: string): string | undefined {
  const { [name]: path } = env;
  return path ? Buffer.from(fileOf({ [name]: path }, name)).toString('base64') : undefined;
}
