import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'conf');

/**
 * A configuration of test/interop/conf, which the guides show as it is: paths and ports of a pod, such as /tls and 8443, are
 * replaced by those of this machine. Throws an Error where one of them isn't in the file.
 */
export function configuration(file: string, replacements: Readonly<Record<string, string | number>>): string {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const names = Object.keys(replacements).toSorted((a, b) => b.length - a.length);
  const missing = names.find((name) => !text.includes(name));
  if (missing !== undefined) throw new Error(`test/interop/conf/${file} does not hold ${missing}`);
  if (names.length === 0) return text;
  // In one pass: what replaces one name may hold another.
  const patterns = names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.replaceAll(new RegExp(patterns.join('|'), 'g'), (name) => String(replacements[name]));
}
