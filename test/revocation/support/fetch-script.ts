import { join } from 'node:path';

/** The script of docs/revocation.md. */
export const FETCH_SCRIPT = join(import.meta.dirname, '../conf/fetch-lists.sh');

/** The DER of the one list in this PEM. */
export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}
