import { AUDIT_CHECKPOINT_NAME, BOOKS_NAME, RESPONDER_KEYS_NAME } from './books-names.ts';
import { ACME_ACCOUNTS_NAME, LEASE_NAME } from './names.ts';
import { MOST_MEMBERS, MOST_SHARDS, memberLeaseName, rangeLeaseName } from './shard-names.ts';

/** One line of a (Cluster)Role, with the reason why Certwheel may not do without it. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Only these objects; all if undefined. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  readonly why: string;
}

/** What is needed in each namespace that is served, besides AUTHORITY_PERMISSIONS. */
export const NAMESPACED_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['certwheel.io'],
    resources: ['clientcertificates', 'certificateauthorities'],
    verbs: ['list', 'watch'],
    why: 'to see what is asked for',
  },
  {
    apiGroups: ['certwheel.io'],
    resources: ['clientcertificates/status', 'certificateauthorities/status'],
    verbs: ['patch'],
    why: 'to tell how it went',
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'to tell the story in kubectl describe',
  },
];

/** What spec.csr.configMapKeyRef needs, with the value clientRequests.configMaps of the chart; some kinds of authority need it too. */
export const CLIENT_REQUEST_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['list', 'watch'],
    why: 'to follow the certificate requests of clients that keep their key',
  },
];

/** What spec.revocation.deleted needs, with the value revocation.finalizers of the chart; an admission policy lets it do nothing else. */
export const FINALIZER_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['certwheel.io'],
    resources: ['clientcertificates'],
    verbs: ['patch'],
    why: 'to set and remove the finalizer of those whose certificates are revoked when they are deleted',
  },
];

/** What is needed besides, in the same namespaces, with --approvals. */
export const APPROVAL_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['certwheel.io'],
    resources: ['certificateapprovals'],
    verbs: ['list', 'watch'],
    why: 'to see which requests were approved',
  },
];

/**
 * What is needed where authorities keep their CA keys and find what they refer to: in each namespace that is served, and in
 * the controller's own for ClusterCertificateAuthorities.
 */
export const AUTHORITY_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    why: 'to publish certificates, to read CA key pairs, and to keep and retire CA generations; a create comes from server-side apply',
  },
];

/**
 * What spec.trust.targets need besides, by the value of the chart below `trustTargets`: in each namespace that is served. For
 * Secrets the rights above are enough.
 */
export const TARGET_PERMISSIONS: Readonly<Record<'configMaps' | 'pods', PolicyRule>> = {
  configMaps: {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    why: 'to write trust bundles into ConfigMaps; a create comes from server-side apply',
  },
  pods: {
    apiGroups: [''],
    resources: ['pods'],
    verbs: ['list', 'watch'],
    why: 'to name the Pods that still have a former trust bundle',
  },
};

/** The same without a namespace. */
export const CLUSTER_TARGET_PERMISSIONS: Readonly<Record<'clusterTrustBundles', PolicyRule>> = {
  clusterTrustBundles: {
    apiGroups: ['certificates.k8s.io'],
    resources: ['clustertrustbundles'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    why: 'to write trust bundles into ClusterTrustBundles',
  },
};
/** What is needed besides, in the same namespaces, with --probes. */
export const PROBE_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['services', 'pods', 'configmaps'],
    verbs: ['get'],
    why: 'to find the port of a Service of spec.trust.verifiers, to prove that its endpoints are Pods of the namespace, and to read serverCA',
  },
  {
    apiGroups: ['discovery.k8s.io'],
    resources: ['endpointslices'],
    verbs: ['list'],
    why: 'to find the endpoints of such a Service',
  },
];

/** What ClusterCertificateAuthorities need without a namespace, also where only single namespaces are served. */
export const CLUSTER_AUTHORITY_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['certwheel.io'],
    resources: ['clustercertificateauthorities'],
    verbs: ['list', 'watch'],
    why: 'to see the authorities that serve many namespaces',
  },
  {
    apiGroups: ['certwheel.io'],
    resources: ['clustercertificateauthorities/status'],
    verbs: ['patch'],
    why: 'to tell how they are',
  },
];

/** What is needed besides when the whole cluster is served. */
export const CLUSTER_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['namespaces'],
    verbs: ['list', 'watch'],
    why: 'to match the labels of namespaces against allowedNamespaces and issuancePolicy',
  },
];

/** What the key of the books needs in the controller's own namespace, where no other right covers it: see LEASE_PERMISSIONS for `create`. */
export const BOOKS_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: [BOOKS_NAME],
    verbs: ['get', 'create', 'patch'],
    why: 'to keep the key that proves what Certwheel wrote into ledgers',
  },
];

/**
 * What is needed in the controller's own namespace for leader election. Even `create` has a name here: a server-side apply
 * is authorized with the name in its path, a POST without one, so a POST of any Lease is denied.
 */
export const LEASE_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [LEASE_NAME],
    verbs: ['get', 'create', 'patch'],
    why: 'to agree on one leader',
  },
];

const numbers = (most: number) => Array.from({ length: most }, (_, number) => number);

/**
 * The same with --shards: the Lease of the leader, which all replicas hold together, one Lease for each replica, and one for each
 * range that there can be. In an upgrade to fewer ranges the replicas before still act by the role that came with it. A list has no
 * names, so that the Leases of others in that namespace are seen too.
 */
export const SHARD_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [
      LEASE_NAME,
      ...numbers(MOST_MEMBERS).map(memberLeaseName),
      ...numbers(MOST_SHARDS).map(rangeLeaseName),
    ],
    verbs: ['get', 'create', 'patch'],
    why: 'to share the work among replicas',
  },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['list', 'watch'],
    why: 'to see which replicas live and what they hold',
  },
];

/** What is needed to review the tokens of scrapes. */
export const REVIEW_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['authentication.k8s.io'],
    resources: ['tokenreviews'],
    verbs: ['create'],
    why: 'to authenticate scrapes',
  },
  {
    apiGroups: ['authorization.k8s.io'],
    resources: ['subjectaccessreviews'],
    verbs: ['create'],
    why: 'to authorize scrapes',
  },
];

/** What is needed in the controller's own namespace where the responder of http-01 runs; by server-side apply, as for the Lease. */
export const RESPONDER_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: [ACME_ACCOUNTS_NAME],
    verbs: ['get', 'create', 'patch'],
    why: 'to tell the responder of http-01 the thumbprints of ACME accounts',
  },
];

/** What is needed in the controller's own namespace with --audit-log; by server-side apply, as for the Lease. */
export const AUDIT_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: [AUDIT_CHECKPOINT_NAME],
    verbs: ['get', 'create', 'patch'],
    why: 'to note how far the audit log was written',
  },
];

/**
 * What is needed in the controller's own namespace where CRLs are published. Their names hold the uids of authorities, so that no
 * rule can list them; an admission policy of the chart does.
 */
export const CRL_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get', 'list', 'create', 'patch', 'delete'],
    why: 'to publish CRLs; a create comes from server-side apply',
  },
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: [RESPONDER_KEYS_NAME],
    verbs: ['get', 'create', 'patch'],
    why: 'to hand the responder its keys for OCSP answers',
  },
];

/** What the responder of CRLs and OCSP answers itself needs, in the same namespace. */
export const CRL_READER_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get', 'list', 'watch'],
    why: 'to read the CRLs that it serves',
  },
];
