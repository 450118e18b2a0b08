import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'conf');

/**
 * A configuration of test/interop/conf, which the guides show as it is: paths and ports of a pod, such as /tls and 8443, are
 * replaced by those of this machine. Throws an Error where one of them isn't in the file.
 */
export function configuration(file: string, replacements: Readonly<Record<string, string | number>>): string {
  let text = readFileSync(join(FOLDER, file), 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`test/interop/conf/${file} does not hold ${from}`);
    text = text.replaceAll(from, String(to));
  }
  return text;
}
