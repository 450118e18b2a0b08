import type { KeyObject } from 'node:crypto';
import { AuthorityError } from '../../errors.ts';
import { encodePrivateKey, parsePrivateKey } from '../../pki/keys.ts';
import { type BackendDeps, dataAt, type ReferencedData } from '../backend-deps.ts';
import type { KeptState } from '../backend-state.ts';
import { noKey, noSecret, unusable } from '../shared/credentials-secret.ts';
import { type AccountKey, accountKey } from './jws.ts';

/** The account as its Secret keeps it. */
export interface AccountState {
  readonly key: AccountKey;
  /** Undefined until the server has named it. */
  readonly url: string | undefined;
  /** The directory at which `url` is an account. */
  readonly directory: string;
  /** The e-mail addresses that the server knows, as they stand in the spec. */
  readonly contact: string;
  /** The key that is to replace `key`: kept before the server is asked, so that no answer can be lost with it. */
  readonly nextKey: AccountKey | undefined;
  /** spec.acme.accountKeyRollover at the last time that the key was replaced. */
  readonly rollover: number;
}

/** Throws an AuthorityError that says what to do where the key can't be read. */
export function readAccountState({ data, place }: KeptState): AccountState {
  const text = (key: string) => dataAt(data, key)?.toString('utf8') ?? '';
  const url = text('url');
  const nextKey = dataAt(data, 'next.key');
  const rollover = Number(text('rollover'));
  return {
    key: readKey(dataAt(data, 'account.key'), place, 'account.key'),
    url: url === '' ? undefined : url,
    directory: text('directory'),
    contact: text('contact'),
    nextKey: nextKey === undefined || nextKey.length === 0 ? undefined : readKey(nextKey, place, 'next.key'),
    rollover: Number.isSafeInteger(rollover) ? rollover : 0,
  };
}

export function writeAccountState(state: AccountState): ReferencedData {
  const { key, url, directory, contact, nextKey, rollover } = state;
  const pem = ({ privateKey }: AccountKey) => encodePrivateKey(privateKey, 'PKCS8');
  const texts = {
    'account.key': pem(key),
    directory,
    contact,
    rollover: String(rollover),
    ...(url === undefined ? {} : { url }),
    ...(nextKey === undefined ? {} : { 'next.key': pem(nextKey) }),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, Buffer.from(value)]));
}

function readKey(pem: Buffer | undefined, place: string, key: string): AccountKey {
  try {
    return accountKey(privateKeyIn(pem));
  } catch {
    const [namespace, name] = place.split('/');
    throw new AuthorityError(
      'CredentialsRefused',
      `Secret ${place}, key ${key}: there is no ECDSA key on P-256, which is to be that of the ACME account; restore the Secret from a backup, or delete it, and Certwheel registers a new account: kubectl delete secret -n ${namespace} ${name}`,
    );
  }
}

function privateKeyIn(pem: Buffer | undefined): KeyObject {
  if (pem === undefined) throw new Error('there is none');
  return parsePrivateKey(pem.toString('latin1'));
}

/** What binds a new account to one that the CA has already. */
export interface ExternalKey {
  readonly keyId: string;
  readonly hmacKey: Buffer;
  /** Where both are, for messages. */
  readonly place: string;
}

/** The key by which the CA binds a new account to one of its own; undefined where the spec names none. */
export async function externalKey(
  binding:
    | { readonly keyID: string; readonly keySecretRef: { readonly name: string; readonly key?: string } }
    | undefined,
  { secret, objects }: Pick<BackendDeps, 'secret' | 'objects'>,
): Promise<ExternalKey | undefined> {
  if (binding === undefined) return undefined;
  const { name, key = 'secret' } = binding.keySecretRef;
  const kept = { name, files: { [key]: 'hmac-key' } };
  const content = await secret(name);
  if (content === undefined) throw noSecret(kept, { objects });
  const text = dataAt(content, key)?.toString('latin1').trim() ?? '';
  if (text === '') throw noKey(kept, key, { objects });
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text))
    throw unusable(kept, key, 'this is no base64url; it must hold the HMAC key as the CA has shown it', { objects });
  const hmacKey = Buffer.from(text.replaceAll('+', '-').replaceAll('/', '_'), 'base64url');
  const place = `externalAccountBinding.keyID ${binding.keyID}, and Secret ${objects.namespace}/${name}, key ${key}`;
  return { keyId: binding.keyID, hmacKey, place };
}
