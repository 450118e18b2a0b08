import { createHmac, randomBytes } from 'node:crypto';
import type { Pkcs11Backend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { RecentlyUsed } from '../../recently-used.ts';
import { type BackendDeps, dataAt } from '../backend-deps.ts';
import { placeOf, readPinFile } from './pin-file.ts';

const STANDARD_KEY = 'pin';
/** Tokens take at most 255 bytes. */
const LONGEST_PIN = 255;

export interface Pin {
  readonly pin: string;
  /** Where it is, for messages. */
  readonly place: string;
  /** Differs when that place is written again: a PIN that was refused is then tried once more. */
  readonly version: string;
}

/** The PIN that the spec names. Throws an AuthorityError that never holds any of it. */
export async function readPin(
  { pinSecretRef, pinFile }: Pick<Pkcs11Backend, 'pinSecretRef' | 'pinFile'>,
  deps: Pick<BackendDeps, 'secret' | 'objects' | 'clusterWide' | 'hsm'>,
): Promise<Pin> {
  if (pinSecretRef !== undefined) return readSecret(pinSecretRef, deps);
  return readFile(pinFile ?? '', deps);
}

async function readSecret(
  { name, key = STANDARD_KEY }: { readonly name: string; readonly key?: string },
  { secret, objects: { namespace } }: Pick<BackendDeps, 'secret' | 'objects'>,
): Promise<Pin> {
  const content = await secret(name);
  const create = `kubectl create secret generic ${name} -n ${namespace} --from-file=${key}=pin`;
  if (content === undefined)
    throw new AuthorityError(
      'CredentialsNotFound',
      `there is no Secret ${namespace}/${name}, which is to hold the PIN; create it with: ${create}`,
    );
  const bytes = dataAt(content, key);
  if (bytes === undefined)
    throw new AuthorityError(
      'CredentialsNotFound',
      `Secret ${namespace}/${name} has no key ${key}, which is to hold the PIN`,
    );
  const place = `key ${key} of Secret ${namespace}/${name}`;
  const version = fingerprint(Object.entries(content).flatMap(([each, value]) => [each, value.toString('base64')]));
  return { pin: pinOf(bytes, place), place, version };
}

async function readFile(
  name: string,
  { clusterWide, hsm: { pinFolder } }: Pick<BackendDeps, 'clusterWide' | 'hsm'>,
): Promise<Pin> {
  if (!clusterWide)
    throw new AuthorityError('BackendForbidden', 'pinFile is only for a ClusterCertificateAuthority; use pinSecretRef');
  if (pinFolder === undefined)
    throw new AuthorityError('BackendDisabled', 'pinFile needs a folder: start Certwheel with --pkcs11-pin-folder');
  const { bytes, version } = await readPinFile(pinFolder, name, LONGEST_PIN + 2);
  const place = placeOf(pinFolder, name);
  return { pin: pinOf(bytes, place), place, version };
}

function pinOf(bytes: Buffer, place: string): string {
  const refusal = (why: string) => new AuthorityError('CredentialsRefused', `the PIN in ${place} ${why}`);
  // Editors and echo leave a newline behind, which is part of no PIN.
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') throw refusal('is empty');
  if (Buffer.byteLength(text) > LONGEST_PIN) throw refusal(`is longer than ${LONGEST_PIN} bytes`);
  if (!Buffer.from(text).equals(bytes.subarray(0, Buffer.byteLength(text)))) throw refusal('is not UTF-8');
  if (/\p{Cc}/u.test(text)) throw refusal('holds a control character');
  return text;
}

const SALT = randomBytes(32);

/** For comparisons in this process; says nothing about its parts. */
export function fingerprint(parts: readonly string[]): string {
  return createHmac('sha256', SALT).update(JSON.stringify(parts)).digest('base64');
}

const refused = new RecentlyUsed<true>({ most: 2_000, mostWeight: 2_000 });

/**
 * PINs that a token has refused, of all authorities: tokens lock after a few wrong ones, so none is tried again, not even
 * after the authority was changed. A restart of the controller forgets them.
 */
export const REFUSED_PINS = {
  has: (id: string) => refused.get(id) === true,
  add: (id: string) => refused.set(id, true, 1),
};
