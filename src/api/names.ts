/** The words of the API: group, resources, labels and annotations. Nothing else spells them. */
export const GROUP = 'certwheel.io';
export const VERSION = 'v1alpha1';

/** The field manager of what Certwheel applies; one name for all writes, so that no two managers own the fields. */
export const FIELD_MANAGER = 'certwheel';

export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const CLIENT_CERTIFICATES = {
  group: GROUP,
  version: VERSION,
  plural: 'clientcertificates',
  kind: 'ClientCertificate',
  namespaced: true,
} as const satisfies Resource;
export const CERTIFICATE_AUTHORITIES = {
  group: GROUP,
  version: VERSION,
  plural: 'certificateauthorities',
  kind: 'CertificateAuthority',
  namespaced: true,
} as const satisfies Resource;
export const CLUSTER_CERTIFICATE_AUTHORITIES = {
  group: GROUP,
  version: VERSION,
  plural: 'clustercertificateauthorities',
  kind: 'ClusterCertificateAuthority',
  namespaced: false,
} as const satisfies Resource;
export const CERTIFICATE_APPROVALS = {
  group: GROUP,
  version: VERSION,
  plural: 'certificateapprovals',
  kind: 'CertificateApproval',
  namespaced: true,
} as const satisfies Resource;
export const SECRETS = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
} as const satisfies Resource;
export const CONFIG_MAPS = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
} as const satisfies Resource;
export const SERVICES = {
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
} as const satisfies Resource;
export const PODS = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
} as const satisfies Resource;
export const ENDPOINT_SLICES = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
} as const satisfies Resource;
export const SERVICE_ACCOUNTS = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
} as const satisfies Resource;
export const NAMESPACES = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
} as const satisfies Resource;
export const EVENTS = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
} as const satisfies Resource;
export const CERTIFICATE_SIGNING_REQUESTS = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'certificatesigningrequests',
  kind: 'CertificateSigningRequest',
  namespaced: false,
} as const satisfies Resource;
/** No objects, but a word of RBAC. */
export const SIGNERS = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'signers',
  kind: 'Signer',
  namespaced: false,
} as const satisfies Resource;
export const CLUSTER_TRUST_BUNDLES = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'clustertrustbundles',
  kind: 'ClusterTrustBundle',
  namespaced: false,
} as const satisfies Resource;
export const CERTIFICATE_REQUESTS = {
  group: 'cert-manager.io',
  version: 'v1',
  plural: 'certificaterequests',
  kind: 'CertificateRequest',
  namespaced: true,
} as const satisfies Resource;
export const ISSUERS = {
  group: 'cert-manager.io',
  version: 'v1',
  plural: 'issuers',
  kind: 'Issuer',
  namespaced: true,
} as const satisfies Resource;
export const CLUSTER_ISSUERS = {
  group: 'cert-manager.io',
  version: 'v1',
  plural: 'clusterissuers',
  kind: 'ClusterIssuer',
  namespaced: false,
} as const satisfies Resource;
export const LEASES = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
} as const satisfies Resource;
export const TOKEN_REVIEWS = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
} as const satisfies Resource;
export const SUBJECT_ACCESS_REVIEWS = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
} as const satisfies Resource;

/** The Lease by which replicas agree on one that acts. */
export const LEASE_NAME = 'certwheel';

/** The ConfigMap with the thumbprints of ACME accounts, for the responder of http-01. */
export const ACME_ACCOUNTS_NAME = 'certwheel-acme-accounts';

/** On the Secret of a certificate: the ClientCertificate's name. With UID_ANNOTATION it makes the Secret ours. */
export const CERTIFICATE_NAME_LABEL = 'certwheel.io/certificate-name';
export const CERTIFICATE_UID_ANNOTATION = 'certwheel.io/certificate-uid';
/** Set by a person on a Secret that isn't ours, naming the ClientCertificate that may take it over. */
export const ADOPT_ANNOTATION = 'certwheel.io/adopt';
/** Set by a person on a ClientCertificate: an RFC 3339 moment at which to renew, once. */
export const RENEW_AT_ANNOTATION = 'certwheel.io/renew-at';

/** On a ClientCertificate: the user that created it or changed its spec last, as the chart's admission policies have stamped. */
export const REQUESTED_BY_ANNOTATION = 'certwheel.io/requested-by';
/** On a CertificateApproval: the user that created it, as the chart's admission policy has checked. */
export const APPROVED_BY_ANNOTATION = 'certwheel.io/approved-by';

/** kubectl's copy of what was applied, which for a Secret holds its key. */
export const KUBECTL_LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What must outlive status, on the Secret of a certificate. */
export const REVISION_ANNOTATION = 'certwheel.io/revision';
export const AUTHORITY_ANNOTATION = 'certwheel.io/authority';
/** `CertificateAuthority/name` of the fallback that signed in place of the authority; absent where the authority itself did. */
export const ISSUED_BY_ANNOTATION = 'certwheel.io/issued-by';
export const AUTHORITY_GENERATION_ANNOTATION = 'certwheel.io/authority-generation';
export const REQUESTED_DURATION_ANNOTATION = 'certwheel.io/requested-duration';
export const ISSUED_AT_ANNOTATION = 'certwheel.io/issued-at';
export const SERIALS_ANNOTATION = 'certwheel.io/serials';
/** Of former versions, which kept it for the newest certificate alone; it is read and no longer written. */
export const EXTERNAL_ID_ANNOTATION = 'certwheel.io/external-id';
/** Which labels and annotations came from the template, to notice that one was taken out of it. */
export const TEMPLATE_KEYS_ANNOTATION = 'certwheel.io/template-keys';
/** See outputsDigest; absent where that is empty. */
export const OUTPUTS_ANNOTATION = 'certwheel.io/outputs';

/** On what is made elsewhere for a request: the label that all tools know, and for which ClientCertificate, `namespace/name`. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const CLIENT_CERTIFICATE_ANNOTATION = 'certwheel.io/client-certificate';

/**
 * On the ConfigMap that holds a CSR for a person: the name of the ClientCertificate, what is asked for, the SHA-256 of the
 * CSR's text (hex), and what to do with it.
 */
export const CSR_OF_LABEL = 'certwheel.io/csr-of';
export const REQUESTED_IDENTITY_ANNOTATION = 'certwheel.io/requested-identity';
export const CSR_DIGEST_ANNOTATION = 'certwheel.io/csr-digest';
export const INSTRUCTIONS_ANNOTATION = 'certwheel.io/instructions';

/** On the Secret that keeps a private key while its certificate is awaited: whose it is, and for which request. */
export const NEXT_OF_LABEL = 'certwheel.io/next-of';
export const REQUEST_ANNOTATION = 'certwheel.io/request';
export const WANTED_ANNOTATION = 'certwheel.io/wanted';
export const TICKET_ANNOTATION = 'certwheel.io/ticket';
export const DENIED_ANNOTATION = 'certwheel.io/denied';
export const DENIED_AT_ANNOTATION = 'certwheel.io/denied-at';
export const WITHHELD_AT_ANNOTATION = 'certwheel.io/withheld-at';
export const WITHHELD_BELOW_ANNOTATION = 'certwheel.io/withheld-below';

/** On the Secret of a CA generation: the authority's name, and what its state machine stands at. */
export const AUTHORITY_NAME_LABEL = 'certwheel.io/authority-name';
export const AUTHORITY_KIND_LABEL = 'certwheel.io/authority-kind';
export const GENERATION_STATE_ANNOTATION = 'certwheel.io/generation-state';
export const GENERATION_SINCE_ANNOTATION = 'certwheel.io/generation-state-since';
export const GENERATION_SOURCE_ANNOTATION = 'certwheel.io/generation-source';
/** What another machine that holds the key calls the CA, or nothing; only where Certwheel doesn't hold the key. */
export const GENERATION_ISSUER_ANNOTATION = 'certwheel.io/generation-issuer';
/** And its mark, see GenerationMark: the uids of the generations in use, its own among them, and where it was written. */
export const GENERATION_UIDS_ANNOTATION = 'certwheel.io/generation-uids';
export const GENERATION_NAMESPACE_ANNOTATION = 'certwheel.io/generation-namespace';
/** When it went into the trust bundle. */
export const GENERATION_PREPARED_ANNOTATION = 'certwheel.io/generation-prepared';
/** Since when nothing stands in the way of its next step, see Generation; and the CAs that were rolled back while it signs. */
export const GENERATION_GATE_ANNOTATION = 'certwheel.io/generation-gate';
export const GENERATION_REJECTS_ANNOTATION = 'certwheel.io/generation-rejects';
/** When the last of these was made: it has answered what was asked for until then. */
export const GENERATION_REJECTED_ANNOTATION = 'certwheel.io/generation-rejected-made-at';

/** Set by a person on an authority: an RFC 3339 moment at which to make the next CA, once. */
export const ROTATE_CA_ANNOTATION = 'certwheel.io/rotate-ca';
/** And the version of the CA generation that is never to sign again, and the step that a manual rotation waits for. */
export const ROLLBACK_CA_ANNOTATION = 'certwheel.io/rollback-ca';
export const ADVANCE_CA_ANNOTATION = 'certwheel.io/advance-ca';

/** On the Secret that keeps the ledgers of an authority: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const LEDGER_OF_LABEL = 'certwheel.io/ledger-of';

/** On the Secret that keeps the ACME account of an authority: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const ACME_ACCOUNT_OF_LABEL = 'certwheel.io/acme-account-of';

/** On the Secret that keeps the key of a CA while its certificate is awaited: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const CA_REQUEST_OF_LABEL = 'certwheel.io/ca-request-of';

/**
 * On an object of spec.trust.targets: the authority's name, by which it is watched (its kind is in AUTHORITY_KIND_LABEL); its
 * mark, see markOf; and since when it holds each CA certificate.
 */
export const TRUST_TARGET_LABEL = 'certwheel.io/trust-target';
export const TRUST_MARK_ANNOTATION = 'certwheel.io/trust-mark';
export const TRUSTED_SINCE_ANNOTATION = 'certwheel.io/trusted-since';
/** On the Secret that keeps the bundles of its sources: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const TRUST_SOURCES_OF_LABEL = 'certwheel.io/trust-sources-of';
/** On the Secret that keeps the CA certificates of its fallback: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const FALLBACK_OF_LABEL = 'certwheel.io/fallback-of';
/** On a trust target: the names of its trust stores. */
export const TRUST_STORES_ANNOTATION = 'certwheel.io/trust-stores';

/** `certwheel.io/v1alpha1`, `v1`. */
export function apiVersion(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The URL path of a collection, an object, or a subresource of it. */
export function resourcePath(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const parts = resource.group === '' ? ['', 'api', resource.version] : ['', 'apis', resource.group, resource.version];
  if (resource.namespaced && namespace !== undefined) parts.push('namespaces', encodeURIComponent(namespace));
  parts.push(resource.plural);
  if (name !== undefined) parts.push(encodeURIComponent(name));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

/** Names of objects are no longer. Names of users have no limit in Kubernetes, and longer ones are cut or refused. */
export const LONGEST_NAME = 253;
