import { hash } from 'node:crypto';
import { encodePrivateKey, type PrivateKey, parsePrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { dataAt, type ReferencedData } from '../backend-deps.ts';

const KEY = 'ca.key';
const WANTED = 'wanted';

/** The key of a CA whose certificate is awaited. */
export interface KeptRequest {
  readonly key: PrivateKey;
  readonly pem: string;
  /** What its CSR asks for; see wantedOf. */
  readonly wanted: string;
}

/** What a CSR is for: another one has another key. */
export function wantedOf(...parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}

export function newRequest(key: PrivateKey, wanted: string): KeptRequest {
  return { key, pem: encodePrivateKey(key, 'PKCS8'), wanted };
}

/** As it is stored. */
export function dataOf({ pem, wanted }: KeptRequest): ReferencedData {
  return { [KEY]: Buffer.from(pem), [WANTED]: Buffer.from(wanted) };
}

/** Undefined where nothing is kept, or nothing of use. */
export function requestIn(data: ReferencedData | undefined): KeptRequest | undefined {
  const pem = data && dataAt(data, KEY)?.toString('latin1');
  if (data === undefined || pem === undefined) return undefined;
  try {
    return { key: parsePrivateKey(pem), pem, wanted: dataAt(data, WANTED)?.toString('latin1') ?? '' };
  } catch {
    return undefined;
  }
}

/** One request for each key. */
export function idOf({ key, wanted }: KeptRequest): string {
  return hash('sha256', Buffer.concat([Buffer.from(wanted), publicKeyDer(key)])).slice(0, 32);
}
