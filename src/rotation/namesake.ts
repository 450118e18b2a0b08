import type { CaPath } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { isAlmostSameName } from '../pki/name.ts';
import { nameOf } from '../pki/path.ts';
import type { Generation } from './generation.ts';

/**
 * Why a new CA can't be trusted beside those in use, as a sentence. OpenSSL takes the first trusted certificate of the
 * issuer's name that no key id rules out, before it reads what the peer sent, and tries no other one when the signature
 * fails (X509_STORE_CTX_get1_issuer): during a CA rotation it would refuse the clients of one of the two. A root may so
 * be mistaken for an intermediate of the other chain too.
 */
export function namesakeProblem({ id, chain, anchor }: CaPath, generations: readonly Generation[]): string | undefined {
  // What is a generation already was accepted, and its rotation must come to an end.
  if (generations.some(({ path }) => path.id === id)) return undefined;
  for (const { version, path } of generations) {
    const mistaken =
      chain.find((each) => isMistaken(each, path.anchor)) ??
      (path.chain.some((each) => isMistaken(each, anchor)) ? anchor : undefined);
    if (mistaken !== undefined)
      return `${nameOf(mistaken)} has the name of a CA of generation ${version} and another key, and no subject key ids tell the two apart: OpenSSL would refuse clients while both are trusted; make the new CA with another name, or give both a subject key id (the condition RefusedByVerifiers of the present CA has the command)`;
  }
  return undefined;
}

/** Whether OpenSSL, which folds names, takes the trusted `root` for the issuer of what `ca` has signed. */
function isMistaken(ca: CertificateView, root: CertificateView): boolean {
  if (root.publicKeyPin === ca.publicKeyPin || !isAlmostSameName(root.subjectDer, ca.subjectDer)) return false;
  return ca.subjectKeyId === undefined || root.subjectKeyId === undefined || ca.subjectKeyId === root.subjectKeyId;
}
