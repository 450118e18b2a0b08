import { type AnyCertificateAuthority, allowsNamespace, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { fromSeconds } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import { authorityName } from '../certificate/authority-view.ts';
import { secretKeyOf } from '../certificate/observe.ts';
import { isOurs } from '../certificate/observed.ts';
import {
  authorityOf,
  isRecord,
  isView,
  recordOfView,
  type SecretKept,
  type SecretRecord,
} from '../certificate/secret/record.ts';
import { type SecretView, trustedByAllFiles } from '../certificate/secret/view.ts';
import { caKeyId } from '../pki/ca.ts';
import type { Turns } from '../queue/turns.ts';
import type { Generation } from './generation.ts';
import type { Member } from './plan-types.ts';

/** The caches that tell what an authority has issued. */
interface Caches {
  authority(key: string): AnyCertificateAuthority | undefined;
  /** The ClientCertificates that name the authority. */
  membersOf(authority: string): readonly ClientCertificate[];
  readonly namespaces: { get(name: string): Parameters<typeof allowsNamespace>[2] };
  readonly secrets: {
    keysByIndex(index: 'authority', authority: string): readonly string[];
    get(key: string): SecretKept | undefined;
  };
  /** What is kept of a Secret, with the proof that it may lack yet. */
  proven(kept: SecretKept): SecretKept;
}

/** Most proofs in one turn. One takes 0.1 to 20 ms, and after a restart all certificates of an authority owe theirs. */
const MOST_AT_ONCE = 25;
/** The limit for a look right after proveMembers: Secrets that arrive meanwhile must not restart the look without end. */
export const MOST_AFTER_PROOFS = 100;

/** More proofs are owed than one turn of the event loop has time for; see proveMembers. */
export class ProofsOwed extends Error {
  override readonly name = 'ProofsOwed';
}

/** Proves what membersOf would have to prove, over as many turns as that takes. What was read before is to be read again. */
export async function proveMembers(
  authority: string,
  cluster: Caches,
  turns: Pick<Turns, 'end'>,
  signal: AbortSignal,
): Promise<void> {
  const named = cluster.membersOf(authority).map(secretKeyOf);
  for (const key of new Set([...cluster.secrets.keysByIndex('authority', authority), ...named])) {
    if (signal.aborted) return;
    const kept = cluster.secrets.get(key);
    if (kept !== undefined && owesProof(kept)) cluster.proven(kept);
    await turns.end();
  }
}

function owesProof(kept: SecretKept): boolean {
  return isView(kept) && !kept.isProven;
}

/** The same caches for one turn: what they prove is counted. Throws ProofsOwed at the first proof that is too many. */
function inOneTurn(cluster: Caches, most: number): Caches {
  let proven = 0;
  return {
    authority: (key) => cluster.authority(key),
    membersOf: (authority) => cluster.membersOf(authority),
    namespaces: cluster.namespaces,
    secrets: cluster.secrets,
    proven: (kept) => {
      if (owesProof(kept) && ++proven > most) throw new ProofsOwed();
      return cluster.proven(kept);
    },
  };
}

/** What a member holds, whatever it is called. */
type Held = Pick<
  SecretRecord,
  'issuerFingerprint' | 'issuerKeyId' | 'anchorFingerprints' | 'notAfter' | 'trustBundleHash'
>;

/**
 * What a CA rotation has to know of the certificates of an authority: what its ClientCertificates hold, and all else that
 * Secrets hold with its mark, whatever became of their resources. There may be 100,000, so each is looked up once. Throws
 * ProofsOwed while the proofs of many are owed.
 */
export function membersOf(
  authority: string,
  generations: readonly Generation[],
  caches: Caches,
  mostProofs = MOST_AT_ONCE,
): Member[] {
  const cluster = inOneTurn(caches, mostProofs);
  const resources = cluster.membersOf(authority);
  const members: Member[] = [];
  let owned = 0;
  for (const resource of resources) {
    const kept = secretOf(resource, cluster);
    if (isOwner(resource, kept)) {
      if (kept.memory.authority === authorityName(resource)) owned++;
      const held = heldIn(kept);
      if (held !== undefined) members.push(memberOf(keyOf(resource), resource.namespace, held));
    } else if (kept === undefined || authorityOf(kept) !== authority) {
      const member = byStatus(resource, generations);
      if (member !== undefined) members.push(member);
    }
  }
  const marked = cluster.secrets.keysByIndex('authority', authority);
  return marked.length === owned ? members : [...members, ...othersAmong(marked, authority, resources, cluster)];
}

function secretOf(resource: ClientCertificate, cluster: Caches): SecretKept | undefined {
  const stored = cluster.secrets.get(secretKeyOf(resource));
  return stored && cluster.proven(stored);
}

function isOwner(resource: ClientCertificate, kept: SecretKept | undefined): kept is SecretView {
  return isView(kept) && isOurs({ resource, secret: kept });
}

/** What marked Secrets hold that belong to none of these ClientCertificates. */
function othersAmong(
  marked: readonly string[],
  authority: string,
  resources: readonly ClientCertificate[],
  cluster: Caches,
): Member[] {
  const mayBeServed = serving(authority, resources, cluster);
  const owned = new Set(resources.filter((each) => isOwner(each, secretOf(each, cluster))).map(secretKeyOf));
  return marked.flatMap((key) => {
    const isLeftOut = owned.has(key) || !mayBeServed(key.slice(0, key.indexOf('/')));
    const stored = isLeftOut ? undefined : cluster.secrets.get(key);
    const kept = stored && cluster.proven(stored);
    const record = isView(kept) ? recordOfView(kept) : kept;
    return isRecord(record) ? memberOf(`Secret ${key}`, record.namespace, record) : [];
  });
}

/** In a namespace that it doesn't serve, a tenant may write what looks like a certificate of the authority. */
function serving(
  authority: string,
  resources: readonly ClientCertificate[],
  cluster: Caches,
): (namespace: string) => boolean {
  const resource = cluster.authority(authority);
  const referring = new Set(resources.map(({ namespace }) => namespace));
  return (namespace) =>
    referring.has(namespace) ||
    resource === undefined ||
    isBrokenAuthority(resource) ||
    allowsNamespace(resource.allowedNamespaces, namespace, cluster.namespaces.get(namespace)) !== false;
}

function memberOf(
  key: string,
  namespace: string,
  { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash }: Held,
): Member {
  return { key, namespace, issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash };
}

/** Undefined where it holds no certificate. */
function heldIn(view: SecretView): Held | undefined {
  if (view.certificate === undefined) return undefined;
  const { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter } = view.certificate;
  return { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash: trustedByAllFiles(view) };
}

/** By the status alone, which doesn't say what is in ca.crt. */
function byStatus(resource: ClientCertificate, generations: readonly Generation[]): Member | undefined {
  const { authorityGeneration, endSeconds } = resource.status;
  const issuer = generations.find(({ version }) => version === authorityGeneration)?.path;
  if (issuer === undefined || endSeconds === undefined) return undefined;
  return {
    key: keyOf(resource),
    namespace: resource.namespace,
    issuerFingerprint: issuer.certificate.fingerprintSHA256,
    issuerKeyId: caKeyId(issuer.certificate),
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    notAfter: fromSeconds(endSeconds),
    trustBundleHash: '',
    fromStatus: true,
  };
}
