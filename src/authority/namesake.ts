import type { CaPair } from '../pki/ca.ts';
import { nameOf } from '../pki/path.ts';
import type { Generation } from './generations.ts';

/**
 * Why a new CA can't be trusted beside those in use, as a sentence. OpenSSL takes the first trusted certificate of the
 * issuer's name that no key id rules out, and tries no other one when the signature fails (X509_STORE_CTX_get1_issuer):
 * during a CA rotation it would refuse the clients of one of the two.
 */
export function namesakeProblem({ id, anchor }: CaPair, generations: readonly Generation[]): string | undefined {
  // What is a generation already was accepted, and its rotation must come to an end.
  if (generations.some(({ pair }) => pair.id === id)) return undefined;
  const namesake = generations.find(({ pair: { anchor: other } }) => {
    if (!other.subjectDer.equals(anchor.subjectDer) || other.publicKeyPin === anchor.publicKeyPin) return false;
    return (
      anchor.subjectKeyId === undefined ||
      other.subjectKeyId === undefined ||
      anchor.subjectKeyId === other.subjectKeyId
    );
  });
  if (namesake === undefined) return undefined;
  return `${nameOf(anchor)} has the name of generation ${namesake.version} and another key, and no subject key ids tell the two apart: OpenSSL would refuse clients while both are trusted; make the new CA with another name, or give both a subject key id (the condition RefusedByVerifiers of the present CA has the command)`;
}
