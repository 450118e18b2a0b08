import { writeFile } from 'node:fs/promises';
import type { RawObject } from '../../../src/api/parse.ts';
import { openssl, withFiles } from './openssl.ts';

/** What openssl finds in a store of a Secret: the certificates and the key, as PEM without its remarks. */
export async function unlocked({ data = {} }: RawObject, store: string, password: string): Promise<string> {
  return withFiles({ password }, async (folder) => {
    await writeFile(`${folder}/store`, Buffer.from(data[store] ?? '', 'base64'));
    const legacy = ['-legacy', '-in', 'store', '-passin', 'file:password', '-nodes'];
    const text = await openssl(folder, 'pkcs12', ...legacy);
    return (text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/g) ?? []).join('');
  });
}

/** Whether its keystore.p12 opens with that password, and holds the pair of tls.crt and tls.key. */
export async function hasItsStore(secret: RawObject | undefined, password: string): Promise<boolean> {
  if (secret === undefined) return false;
  const text = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('latin1');
  const found = await unlocked(secret, 'keystore.p12', password).catch(() => '');
  return found !== '' && found === text('tls.crt') + text('tls.key');
}
