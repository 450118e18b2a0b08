/** One line of a (Cluster)Role, with the reason why Certwheel may not do without it. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly why: string;
}

/** What is needed in each namespace that is served. */
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
    apiGroups: [''],
    resources: ['secrets'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    why: 'to publish certificates, to read CA key pairs, and to keep and retire CA generations; a create comes from server-side apply',
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['list', 'watch'],
    why: 'to follow the trust bundles that authorities name',
  },
  {
    apiGroups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'to tell the story in kubectl describe',
  },
];

/** What is needed besides when the whole cluster is served. */
export const CLUSTER_PERMISSIONS: readonly PolicyRule[] = [
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
  {
    apiGroups: [''],
    resources: ['namespaces'],
    verbs: ['list', 'watch'],
    why: 'to match the labels of namespaces against allowedNamespaces and issuancePolicy',
  },
];

/** What is needed in the controller's own namespace for leader election. */
export const LEASE_PERMISSIONS: readonly PolicyRule[] = [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'create', 'patch'],
    why: 'to agree on one leader',
  },
];
