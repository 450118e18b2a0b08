import { createHash } from 'node:crypto';
import type { StepCAProvisioner } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { messageOf } from '../../thrown.ts';
import type { ReferencedData } from '../backend.ts';
import { membersOf } from '../http/json-members.ts';
import { openWithPassword } from './jwe.ts';
import { type ProvisionerKey, readProvisionerKey, thumbprintOf } from './token.ts';

const BLANKS = Buffer.from('\t\n\v\f\r ');

/** What step-ca lists of a JWK provisioner. */
export interface ListedProvisioner {
  readonly kid: string;
  readonly thumbprint: string | undefined;
  /** Whether its certificates are made by a template of its own. */
  readonly hasTemplate: boolean;
}

/** The JWK provisioner of that name; names are unique. */
export function findProvisioner(name: string, provisioners: readonly unknown[]): ListedProvisioner | undefined {
  for (const each of provisioners) {
    const { type, name: listed, key, options } = membersOf(each);
    const { kid } = membersOf(key);
    if (type !== 'JWK' || listed !== name || typeof kid !== 'string') continue;
    const { template, templateFile } = membersOf(membersOf(options).x509);
    return { kid, thumbprint: thumbprintOf(key), hasTemplate: Boolean(template || templateFile) };
  }
  return undefined;
}

export interface Credentials {
  readonly password: Buffer;
  /** The encrypted key, where the Secret holds it. */
  readonly key: string | undefined;
}

export function credentialsIn(
  secret: ReferencedData | undefined,
  { secretRef: { name: secretName } }: StepCAProvisioner,
): Credentials {
  if (secret === undefined)
    throw new AuthorityError(
      'CredentialsNotFound',
      `there is no Secret ${secretName}; make it with: kubectl create secret generic ${secretName} --from-file=key=provisioner.key --from-file=password=provisioner.password`,
    );
  const { password, key } = secret;
  if (password === undefined || password.length === 0)
    throw new AuthorityError('CredentialsNotFound', `Secret ${secretName} has no key "password"`);
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
