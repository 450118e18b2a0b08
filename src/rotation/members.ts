import { type AnyCertificateAuthority, allowsNamespace, isBrokenAuthority } from '../api/certificate-authority.ts';
import { type BrokenClientCertificate, type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import { fromSeconds } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import { referredAuthority, secretKeyOf } from '../certificate/observe.ts';
import { isOurs } from '../certificate/observed.ts';
import { authorityOf, isRecord, isView, recordOfView, type SecretKept } from '../certificate/secret/record.ts';
import { trustedByAllFiles } from '../certificate/secret/view.ts';
import { caKeyId } from '../pki/ca.ts';
import type { Generation } from './generation.ts';
import type { Member } from './plan-types.ts';

/** The caches that tell what an authority has issued. */
interface Caches {
  authority(key: string): AnyCertificateAuthority | undefined;
  /** The ClientCertificates that name the authority. */
  membersOf(authority: string): readonly ClientCertificate[];
  readonly namespaces: { get(name: string): Parameters<typeof allowsNamespace>[2] };
  readonly certificates: { get(key: string): ClientCertificate | BrokenClientCertificate | undefined };
  readonly secrets: {
    byIndex(index: 'authority', authority: string): readonly SecretKept[];
    get(key: string): SecretKept | undefined;
  };
  /** What is kept of a Secret, with the proof that it may lack yet. */
  proven(kept: SecretKept): SecretKept;
}

interface Placed {
  readonly namespace: string;
  readonly member: Member;
}

/**
 * What a CA rotation has to know of the certificates of an authority: all that Secrets hold with its mark, whatever became
 * of their resources, and what its ClientCertificates hold that no Secret in memory shows.
 */
export function membersOf(authority: string, generations: readonly Generation[], cluster: Caches): Member[] {
  const resource = cluster.authority(authority);
  const resources = cluster.membersOf(authority);
  const referring = new Set(resources.map(({ namespace }) => namespace));
  // In a namespace that it doesn't serve, a tenant may write what looks like a certificate of the authority.
  const mayBeServed = (namespace: string) =>
    referring.has(namespace) ||
    resource === undefined ||
    isBrokenAuthority(resource) ||
    allowsNamespace(resource.allowedNamespaces, namespace, cluster.namespaces.get(namespace)) !== false;
  const marked = cluster.secrets
    .byIndex('authority', authority)
    .flatMap((kept) => placed(cluster.proven(kept), ownerOf(kept, authority, cluster)))
    .filter(({ namespace }) => mayBeServed(namespace));
  const unmarked = resources.flatMap((each) => unmarkedOf(each, authority, generations, cluster));
  return [...marked, ...unmarked].map(({ member }) => member);
}

function placed(kept: SecretKept, owner: string | undefined): Placed[] {
  const record = isView(kept) ? recordOfView(kept) : kept;
  if (!isRecord(record)) return [];
  const { namespace, issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash } = record;
  const key = owner ?? `Secret ${keyOf(record)}`;
  return [
    {
      namespace,
      member: { key, namespace, issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash },
    },
  ];
}

/** The ClientCertificate that the authority serves and whose Secret it is; undefined for one that is written no more. */
function ownerOf(kept: SecretKept, authority: string, cluster: Caches): string | undefined {
  if (!isView(kept) || kept.owner === undefined) return undefined;
  const key = keyOf({ namespace: kept.namespace, name: kept.owner.certificateName });
  const resource = cluster.certificates.get(key);
  const isServed =
    resource !== undefined &&
    !isBroken(resource) &&
    isOurs({ resource, secret: kept }) &&
    referredAuthority(resource) === authority;
  return isServed ? key : undefined;
}

/** What a ClientCertificate holds where its Secret lost the mark of the authority, or is not in memory. */
function unmarkedOf(
  resource: ClientCertificate,
  authority: string,
  generations: readonly Generation[],
  cluster: Caches,
): Placed[] {
  const stored = cluster.secrets.get(secretKeyOf(resource));
  const kept = stored && cluster.proven(stored);
  if (kept !== undefined && authorityOf(kept) === authority) return [];
  if (isView(kept) && isOurs({ resource, secret: kept })) {
    const { certificate } = kept;
    if (certificate === undefined) return [];
    const { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter } = certificate;
    const trustBundleHash = trustedByAllFiles(kept);
    const found = { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash };
    const { namespace } = resource;
    const member = { key: keyOf(resource), namespace, ...found };
    return [{ namespace, member }];
  }
  return byStatus(resource, generations);
}

/** By the status alone, which doesn't say what is in ca.crt. */
function byStatus(resource: ClientCertificate, generations: readonly Generation[]): Placed[] {
  const { authorityGeneration, endSeconds } = resource.status;
  const issuer = generations.find(({ version }) => version === authorityGeneration)?.path;
  if (issuer === undefined || endSeconds === undefined) return [];
  const member: Member = {
    key: keyOf(resource),
    namespace: resource.namespace,
    issuerFingerprint: issuer.certificate.fingerprintSHA256,
    issuerKeyId: caKeyId(issuer.certificate),
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    notAfter: fromSeconds(endSeconds),
    trustBundleHash: '',
    fromStatus: true,
  };
  return [{ namespace: resource.namespace, member }];
}
