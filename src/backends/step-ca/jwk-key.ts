import { createHash } from 'node:crypto';
import type { StepCASecretRef } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { messageOf } from '../../thrown.ts';
import type { BackendDeps, ReferencedData } from '../backend-deps.ts';
import { noKey, noSecret } from '../shared/credentials-secret.ts';
import { openWithPassword } from './jwe.ts';
import { type ProvisionerKey, readProvisionerKey } from './token.ts';

const BLANKS = Buffer.from('\t\n\v\f\r ');

export interface Credentials {
  readonly password: Buffer;
  /** The encrypted key, where the Secret holds it. */
  readonly key: string | undefined;
}

export function credentialsIn(
  secret: ReferencedData | undefined,
  { name }: StepCASecretRef,
  deps: Pick<BackendDeps, 'objects'>,
): Credentials {
  const wanted = { name, files: { key: 'provisioner.key', password: 'provisioner.password' } };
  if (secret === undefined) throw noSecret(wanted, deps);
  const { password, key } = secret;
  if (password === undefined || password.length === 0) throw noKey(wanted, 'password', deps);
  return { password, key: key === undefined || key.length === 0 ? undefined : key.toString('latin1') };
}

/** Opens the encrypted key; a second time for the same key and password, it remembers what came of it, also if nothing did. */
export class KeyRing {
  #opened: { readonly id: string; readonly key: Promise<ProvisionerKey> } | undefined;

  open(encrypted: string, password: Buffer, where: string): Promise<ProvisionerKey> {
    const id = createHash('sha256').update(password).update('\0').update(encrypted).digest('base64');
    // Deriving a key holds a thread for a while, so a wrong password is tried only once.
    if (this.#opened?.id !== id) this.#opened = { id, key: openKey(encrypted, password, where) };
    return this.#opened.key;
  }
}

async function openKey(encrypted: string, password: Buffer, where: string): Promise<ProvisionerKey> {
  try {
    return readProvisionerKey(jwkIn(await openWithPassword(encrypted, withoutEnd(password))));
  } catch (error) {
    const why = messageOf(error);
    throw new AuthorityError('CredentialsRefused', `the provisioner's key ${where} can't be used: ${why}`);
  }
}

/** As step reads password files, which editors and echo end with a newline. */
function withoutEnd(password: Buffer): Buffer {
  let end = password.length;
  // No pattern: for a megabyte of blanks with a letter at its end that would take an hour.
  while (end > 0 && BLANKS.includes(password[end - 1] ?? 0)) end--;
  return password.subarray(0, end);
}

function jwkIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new Error('it holds no JWK');
  }
}
