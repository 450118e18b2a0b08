import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import * as names from '../api/names.ts';
import { CREATE_ONLY } from '../kube/object.ts';
import type { Generation, NewGeneration } from './generation.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;

/** The Secret of a generation before its key comes in, as it is created. */
export function blankManifest(authority: Owner, version: number, namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: generationName(authority.kind, authority.name, version),
      resourceVersion: CREATE_ONLY,
      labels: labelsOf(authority),
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
  };
}

/** The Secret of a generation as it is applied; `beside` are the uids of the others that are in use. */
export function generationManifest(
  authority: Owner,
  generation: Omit<NewGeneration, 'version'>,
  secret: Generation['secret'],
  beside: readonly string[],
) {
  const { path, signer, issuerRef, state, since, source, preparedAt, gate, rejects, rejectedMadeAt } = generation;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...secret,
      labels: labelsOf(authority),
      annotations: {
        [names.GENERATION_SOURCE_ANNOTATION]: source,
        [names.GENERATION_STATE_ANNOTATION]: state,
        [names.GENERATION_SINCE_ANNOTATION]: since.toISOString(),
        [names.GENERATION_NAMESPACE_ANNOTATION]: secret.namespace,
        [names.GENERATION_UIDS_ANNOTATION]: [...new Set([secret.uid, ...beside])].join(','),
        ...(signer === undefined ? { [names.GENERATION_ISSUER_ANNOTATION]: issuerRef ?? '' } : {}),
        ...(preparedAt === undefined ? {} : { [names.GENERATION_PREPARED_ANNOTATION]: preparedAt.toISOString() }),
        ...(gate === undefined ? {} : { [names.GENERATION_GATE_ANNOTATION]: `${gate.to} ${gate.since.toISOString()}` }),
        ...(rejects.length === 0 ? {} : { [names.GENERATION_REJECTS_ANNOTATION]: rejects.join(',') }),
        ...(rejectedMadeAt === undefined
          ? {}
          : { [names.GENERATION_REJECTED_ANNOTATION]: rejectedMadeAt.toISOString() }),
      },
    },
    type: 'kubernetes.io/tls',
    // A CA key is never overwritten, by Certwheel or by others.
    immutable: true,
    data: {
      'tls.crt': base64(path.chain.map((each) => each.pem).join('')),
      'tls.key': base64(signer?.reference.pem ?? ''),
      'ca.crt': base64(path.anchor.pem),
    },
  };
}

function labelsOf({ kind, name }: Owner) {
  return { [names.AUTHORITY_NAME_LABEL]: name, [names.AUTHORITY_KIND_LABEL]: kind };
}

/**
 * `<authority>-ca-v<n>`, and `<authority>-clusterca-v<n>` for the cluster kind in the controller's namespace: no authority
 * of the one kind has a name that could make the two meet.
 */
function generationName(kind: AuthorityKind, authority: string, version: number): string {
  return `${authority}-${kind === 'ClusterCertificateAuthority' ? 'clusterca' : 'ca'}-v${version}`;
}

/** What the cluster kind wrote before; such a Secret is used under its name until it is retired. */
function formerName(kind: AuthorityKind, authority: string, version: number): string | undefined {
  return kind === 'ClusterCertificateAuthority' ? `cluster-${authority}-ca-v${version}` : undefined;
}

/** Far more than there will be, and far less than the integers of the schema: the next one must fit into the status. */
export const MOST_VERSIONS = 1_000_000;

/** Which generation of that authority is kept under that name; undefined for a name that none has. */
export function versionOf(kind: AuthorityKind, authority: string, name: string): number | undefined {
  const version = Number.parseInt(name.slice(name.lastIndexOf('-v') + 2), 10);
  const known = [generationName(kind, authority, version), formerName(kind, authority, version)];
  return version > 0 && version <= MOST_VERSIONS && known.includes(name) ? version : undefined;
}

function base64(pem: string): string {
  return Buffer.from(pem, 'latin1').toString('base64');
}
