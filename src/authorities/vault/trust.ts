import { AuthorityError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { MAX_PEM_BYTES } from '../../pki/pem.ts';
import type { JsonAnswer } from '../http/client.ts';
import { membersOf, textsOf } from '../http/members.ts';
import { readCertificates } from '../read-certificates.ts';
import { encodePath, type VaultClient } from './client.ts';

/** A mount of its own has one issuer, two while its CA is replaced. */
const MOST_ISSUERS = 32;

/**
 * The CA above each issuer of the mount, since the next certificate may come from any of them: while one takes over from
 * another, verifiers must accept both. These paths are open to everybody who reaches Vault.
 */
export async function readTrust(client: VaultClient, mount: string, signal: AbortSignal): Promise<CertificateView[]> {
  const base = encodePath(mount);
  const list = await client.ask({ method: 'GET', path: `${base}/issuers?list=true` }, signal);
  // An empty list of errors is how Vault says that there is nothing; another kind of server says 404 in its own way.
  if (list.status === 404 && Array.isArray(membersOf(list.body).errors) && list.message === '')
    throw new AuthorityError('AuthorityMisconfigured', `the mount ${mount} has no issuer; make or import a CA there`);
  refuseUnmounted(list, mount);
  if (list.status !== 200) throw client.trouble(list, `listing the issuers of ${mount}`);
  const { data } = membersOf(list.body);
  const ids = textsOf(membersOf(data).keys);
  if (ids.length > MOST_ISSUERS)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `the mount ${mount} has ${ids.length} issuers, of which ${MOST_ISSUERS} at most are read; use a mount of its own`,
    );
  const anchors = (await Promise.all(ids.map((id) => readAnchor(client, mount, id, signal)))).flat();
  if (!anchors.every(({ isCA }) => isCA))
    throw new AuthorityError('InvalidAnswer', `the mount ${mount} lists an issuer that is no CA`);
  const bytes = anchors.reduce((sum, { pem }) => sum + pem.length, 0);
  if (bytes > MAX_PEM_BYTES)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `the issuers of the mount ${mount} take ${bytes} bytes; ${MAX_PEM_BYTES} at most fit into each ca.crt`,
    );
  return anchors;
}

/** An issuer with those above it; nothing for one that was removed this moment. */
export async function readIssuer(
  client: VaultClient,
  mount: string,
  reference: string,
  signal: AbortSignal,
): Promise<readonly CertificateView[]> {
  const path = `${encodePath(mount)}/issuer/${encodeURIComponent(reference)}/json`;
  const answer = await client.ask({ method: 'GET', path }, signal);
  if (answer.status === 404) return [];
  refuseUnmounted(answer, mount);
  // With whatever status, 500 too: a server in trouble has other words.
  if (answer.message.includes('unable to find'))
    throw new AuthorityError('AuthorityMisconfigured', `the mount ${mount} has no issuer ${reference}`);
  if (answer.status !== 200) throw client.trouble(answer, `reading the issuer ${reference} of ${mount}`);
  const { data } = membersOf(answer.body);
  const { certificate, ca_chain } = membersOf(data);
  return readPem([...textsOf([certificate]), ...textsOf(ca_chain)], `the issuer ${reference} of ${mount}`);
}

/** These paths are open to everybody, and where nothing is mounted, everything is forbidden. */
function refuseUnmounted({ status, message }: JsonAnswer, mount: string): void {
  if (status === 403)
    throw new AuthorityError('AuthorityMisconfigured', `there is no PKI secrets engine at ${mount}: ${message}`);
}

async function readAnchor(client: VaultClient, mount: string, id: string, signal: AbortSignal) {
  const chain = await readIssuer(client, mount, id, signal);
  const root = chain.find(({ selfSigned }) => selfSigned);
  // Where the root isn't in Vault, the topmost that is has to do.
  return root ?? chain.at(-1) ?? [];
}

/** Certificates out of an answer; whatever can't be read is the authority's fault. */
export function readPem(texts: readonly string[], what: string): CertificateView[] {
  return readCertificates(texts, (why) => new AuthorityError('InvalidAnswer', `${what} can't be read: ${why}`));
}
