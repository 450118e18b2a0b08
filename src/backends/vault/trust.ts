import type { VaultBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { caPath } from '../../pki/ca.ts';
import { type CertificateView, distinct } from '../../pki/certificate.ts';
import { MAX_CHAIN, type Path, PathSearch, type Pool, poolOf } from '../../pki/path-search.ts';
import { type Effort, isSelfIssued, isSelfSigned, newEffort } from '../../pki/signed-by.ts';
import type { OfferedCa, Trust } from '../backend.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf, textsOf } from '../http/json-members.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { encodePath, type VaultClient } from './client.ts';

/** What Vault calls the issuer that a mount signs with unless told. */
export const DEFAULT_ISSUER = 'default';
/** How Vault calls an issuer: a UUID. */
const ISSUER_ID = /^[-0-9A-Za-z]{1,64}$/;
/** A mount of its own has one issuer, two while its CA is replaced. */
const MOST_ISSUERS = 32;

/** What to trust of a mount, and the issuer that is to sign. */
export interface MountTrust extends Trust {
  readonly offered: OfferedCa;
}

/**
 * The issuer that is to sign, with its path up to a root: each request names it by its id, so that another default issuer
 * of the mount signs nothing before it is trusted. `given` holds roots that the mount lacks. The paths that are read here
 * are open to every client that reaches Vault. Throws an AuthorityError.
 */
export async function readTrust(
  client: VaultClient,
  { mount, issuerRef = DEFAULT_ISSUER }: Pick<VaultBackend, 'mount' | 'issuerRef'>,
  given: Trust,
  now: Date,
  signal: AbortSignal,
): Promise<MountTrust> {
  const ids = await listIssuers(client, mount, signal);
  // One after the other: where several fail, the message is the same each time, and so is the status.
  const chains = await Promise.all(ids.map(async (each) => (await readIssuer(client, mount, each, signal)).chain));
  const {
    id,
    chain: [issuer],
  } = await readIssuer(client, mount, issuerRef, signal);
  if (issuer === undefined || id === undefined)
    throw new AuthorityError('AuthorityMisconfigured', `the mount ${mount} has no issuer ${issuerRef}`);
  if (!chains.flat().every(({ isCA }) => isCA))
    throw new AuthorityError('InvalidAnswer', `the mount ${mount} lists an issuer that is not a CA`);
  const pool = poolOf([...chains.flat(), ...given.anchors, ...given.intermediates]);
  const tops = new Set(given.anchors);
  const path = pathAbove(issuer, pool, tops, now, newEffort());
  if (path === undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `the mount ${mount} holds the issuer ${issuer.subjectText} and not its root ${issuer.issuerText}; import the root into the mount, or put it into spec.vault.trustBundle`,
    );
  const anchors = distinct(given.anchors).filter(({ notAfter }) => notAfter > now);
  const intermediates = distinct([...path, ...given.intermediates]).filter((each) => !isSelfIssued(each));
  return { anchors, intermediates: intermediates.slice(0, MAX_CHAIN), offered: { ref: id, path: caPath(path) } };
}

function pathAbove(
  start: CertificateView,
  pool: Pool,
  tops: ReadonlySet<CertificateView>,
  now: Date,
  effort: Effort,
): Path | undefined {
  const isTop = (certificate: CertificateView) => tops.has(certificate) || isSelfSigned(certificate, effort);
  const [path] = new PathSearch({ pool, isTop, now }, effort).from(start);
  return path;
}

async function listIssuers(client: VaultClient, mount: string, signal: AbortSignal): Promise<readonly string[]> {
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
  return ids;
}

/** An issuer, its id, and the CA certificates above it; nothing for one that was removed this moment. */
async function readIssuer(
  client: VaultClient,
  mount: string,
  reference: string,
  signal: AbortSignal,
): Promise<{ readonly id: string | undefined; readonly chain: readonly CertificateView[] }> {
  const path = `${encodePath(mount)}/issuer/${encodeURIComponent(reference)}/json`;
  const answer = await client.ask({ method: 'GET', path }, signal);
  if (answer.status === 404) return { id: undefined, chain: [] };
  refuseUnmounted(answer, mount);
  // With whatever status, 500 too: a server in trouble has other words.
  if (answer.message.includes('unable to find'))
    throw new AuthorityError('AuthorityMisconfigured', `the mount ${mount} has no issuer ${reference}`);
  if (answer.status !== 200) throw client.trouble(answer, `reading the issuer ${reference} of ${mount}`);
  const { data } = membersOf(answer.body);
  const { certificate, ca_chain, issuer_id } = membersOf(data);
  const [id] = textsOf([issuer_id]);
  const chain = readPem([...textsOf([certificate]), ...textsOf(ca_chain)], `the issuer ${reference} of ${mount}`);
  return { id: id !== undefined && ISSUER_ID.test(id) ? id : undefined, chain };
}

/** These paths are open to everybody, and where nothing is mounted, everything is forbidden. */
function refuseUnmounted({ status, message }: JsonAnswer, mount: string): void {
  if (status === 403)
    throw new AuthorityError('AuthorityMisconfigured', `there is no PKI secrets engine at ${mount}: ${message}`);
}

/** Certificates out of an answer; whatever can't be read is the authority's fault. */
export function readPem(texts: readonly string[], what: string): CertificateView[] {
  return readCertificates(texts, (why) => new AuthorityError('InvalidAnswer', `${what} can't be read: ${why}`));
}
