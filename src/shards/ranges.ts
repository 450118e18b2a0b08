import { shardHash } from './hash.ts';

/** The range of a text, of `count` equal ones. */
export function rangeOf(text: string, count: number): number {
  return Math.floor((shardHash(text) * count) / 2 ** 32);
}

/**
 * What decides the range of a key of a work queue: the namespace, so that all that refers to each other has one owner. What is in
 * no namespace has a range of its own; a verifier (`authority#verifier`) that of its authority.
 */
export function placeOf(key: string): string {
  const [object = ''] = key.split('#');
  const parts = object.split('/');
  if (parts[0] === 'CertificateAuthority') return parts[1] ?? '';
  return parts[0] === 'ClusterCertificateAuthority' || parts.length === 1 ? object : (parts[0] ?? '');
}
