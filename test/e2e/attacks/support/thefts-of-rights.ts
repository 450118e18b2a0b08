import { type Act, type Ask, get, NO_RIGHT, patch, post, remove } from './act.ts';
import { CONTROLLER, pathOf, TENANT } from './certwheel-secrets.ts';
import { CSRS } from './thefts-of-requests.ts';

const LEASES = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const OURS = '/apis/certwheel.io/v1alpha1';
const OF_CERT_MANAGER = `/apis/cert-manager.io/v1/namespaces/${TENANT}`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const EVENTS = `/apis/events.k8s.io/v1/namespaces/${TENANT}/events`;

const allowed = (what: string, right: string, ask: Ask): Act => ({ what, right, ask });
/** Both verbs of a kind that is read whole. */
const followed = (what: string, plural: string, path: string): Act[] => [
  allowed(`${what} read`, `list ${plural}`, get(path)),
  allowed(`${what} watched`, `watch ${plural}`, get(`${path}?watch=1&timeoutSeconds=1`)),
];
const forbidden = (what: string, right: string, ask: Ask, legitimate?: Ask): Act => ({
  what,
  right,
  ask,
  denied: NO_RIGHT,
  ...(legitimate === undefined ? {} : { legitimate }),
});

const lease = (name: string) => ({ metadata: { name }, spec: { holderIdentity: 'thief' } });
const applied = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease(name) });
const named = (name: string) => ({ metadata: { name } });
const SECRET = { ...named('tenants-tls'), type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } };
const POD = { ...named('mine'), spec: { containers: [{ name: 'mine', image: 'mine' }] } };
const OF_OURS = { apiVersion: 'certwheel.io/v1alpha1', ...named('mine') };
const CERTIFICATE = {
  ...OF_OURS,
  kind: 'ClientCertificate',
  spec: { authorityRef: { name: 'ca' }, secretName: 'mine-tls', commonName: 'mallory' },
};
const APPROVAL = {
  ...OF_OURS,
  kind: 'CertificateApproval',
  // The administrator of the control: nobody may approve under another name.
  metadata: { name: 'mine', annotations: { 'certwheel.io/approved-by': 'certwheel-admin' } },
  spec: {
    clientCertificateRef: { name: 'alice', uid: '1' },
    authorityRef: { name: 'ca' },
    request: { commonName: 'mallory' },
    decision: 'Approved',
    validUntil: '2126-01-31T12:00:00Z',
  },
};
const authority = (kind: string) => ({ ...OF_OURS, kind, spec: { selfManaged: { commonName: 'Mine' } } });
const BINDING = {
  ...named('mine'),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', namespace: CONTROLLER, name: 'certwheel' }],
};
const role = { metadata: { name: 'mine' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] };
const forged = { conditions: [], observedGeneration: 1 };
const event = {
  metadata: { name: 'forged', namespace: TENANT },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'certwheel.io/controller',
  reportingInstance: 'thief',
  type: 'Normal',
  reason: 'Issued',
  action: 'Issue',
  note: 'all is well',
  regarding: { apiVersion: 'v1', kind: 'Secret', name: 'tenants-tls', namespace: TENANT },
};

/** What the roles give besides Secrets, each right at least once. */
export const OTHER_POSSIBLE: readonly Act[] = [
  ...followed('ClientCertificates', 'clientcertificates.certwheel.io', `${OURS}/clientcertificates`),
  ...followed('CertificateAuthorities', 'certificateauthorities.certwheel.io', `${OURS}/certificateauthorities`),
  ...followed(
    'ClusterCertificateAuthorities',
    'clustercertificateauthorities.certwheel.io',
    `${OURS}/clustercertificateauthorities`,
  ),
  ...followed('CertificateApprovals', 'certificateapprovals.certwheel.io', `${OURS}/certificateapprovals`),
  ...followed('ConfigMaps', 'configmaps', '/api/v1/configmaps'),
  ...followed('namespaces', 'namespaces', '/api/v1/namespaces'),
  ...['clientcertificates', 'certificateauthorities'].map((plural) =>
    allowed(
      'a forged status, which nothing is decided from',
      `patch ${plural}/status.certwheel.io`,
      patch(`${OURS}/namespaces/${TENANT}/${plural}/alice/status`, { status: forged }),
    ),
  ),
  allowed(
    'a forged status of the cluster kind',
    'patch clustercertificateauthorities/status.certwheel.io',
    patch(`${OURS}/clustercertificateauthorities/everywhere/status`, { status: forged }),
  ),
  allowed('a forged event', 'create events.events.k8s.io', post(EVENTS, event)),
  allowed(
    'an event changed',
    'patch events.events.k8s.io',
    patch(`${EVENTS}/forged`, { metadata: { labels: { a: 'b' } } }),
  ),
  allowed('the Lease created', 'create leases.coordination.k8s.io certwheel', {
    method: 'APPLY',
    path: `${LEASES(CONTROLLER)}/certwheel`,
    body: applied('certwheel'),
  }),
  allowed('the Lease read', 'get leases.coordination.k8s.io certwheel', get(`${LEASES(CONTROLLER)}/certwheel`)),
  allowed(
    'the Lease taken, so that no replica acts',
    'patch leases.coordination.k8s.io certwheel',
    patch(`${LEASES(CONTROLLER)}/certwheel`, { spec: { holderIdentity: 'thief' } }),
  ),
  allowed(
    'a request to a signer read',
    'get certificatesigningrequests.certificates.k8s.io',
    get(`${CSRS}/certwheel-a`),
  ),
  allowed('an issuer of cert-manager read', 'get issuers.cert-manager.io', get(`${OF_CERT_MANAGER}/issuers/a`)),
  allowed(
    'a cluster issuer read',
    'get clusterissuers.cert-manager.io',
    get('/apis/cert-manager.io/v1/clusterissuers/a'),
  ),
  allowed(
    'a request to an issuer made',
    'create certificaterequests.cert-manager.io',
    post(`${OF_CERT_MANAGER}/certificaterequests`, named('a')),
  ),
  allowed(
    'a request to an issuer removed',
    'delete certificaterequests.cert-manager.io',
    remove(`${OF_CERT_MANAGER}/certificaterequests/a`),
  ),
  allowed(
    'a request to an issuer read',
    'get certificaterequests.cert-manager.io',
    get(`${OF_CERT_MANAGER}/certificaterequests/a`),
  ),
];

const ourLease = patch(`${LEASES(CONTROLLER)}/certwheel`, { spec: { holderIdentity: '' } });
const ofLease = (what: string, right: string, ask: Ask) =>
  forbidden(what, `${right} leases.coordination.k8s.io`, ask, ourLease);

/** What the roles don't give; where nothing legitimate is named, an administrator may. */
export const WITHOUT_RIGHT: readonly Act[] = [
  ofLease('another Lease', 'create', post(LEASES(CONTROLLER), lease('another'))),
  ofLease('another Lease, applied', 'patch', {
    method: 'APPLY',
    path: `${LEASES(CONTROLLER)}/another`,
    body: applied('another'),
  }),
  ofLease('a Lease of a tenant', 'patch', {
    method: 'APPLY',
    path: `${LEASES(TENANT)}/certwheel`,
    body: applied('certwheel'),
  }),
  ofLease(
    'a Lease of a node',
    'patch',
    patch(`${LEASES('kube-node-lease')}/node-1`, { spec: { holderIdentity: 'thief' } }),
  ),
  ofLease('the Lease deleted', 'delete', remove(`${LEASES(CONTROLLER)}/certwheel`)),
  forbidden('a Secret replaced', 'update secrets', { method: 'PUT', path: pathOf('tenants-tls'), body: SECRET }),
  forbidden('all Secrets deleted', 'deletecollection secrets', remove(pathOf())),
  forbidden(
    'a ConfigMap changed',
    'patch configmaps',
    patch(`/api/v1/namespaces/${TENANT}/configmaps/settings`, { data: { mine: '' } }),
  ),
  forbidden('a Pod', 'create pods', post(`/api/v1/namespaces/${CONTROLLER}/pods`, POD)),
  forbidden(
    'a token of a ServiceAccount',
    'create serviceaccounts/token',
    post(`/api/v1/namespaces/${CONTROLLER}/serviceaccounts/certwheel/token`, {}),
  ),
  forbidden(
    'a ClientCertificate',
    'create clientcertificates.certwheel.io',
    post(`${OURS}/namespaces/${TENANT}/clientcertificates`, CERTIFICATE),
  ),
  forbidden(
    'an authority',
    'create certificateauthorities.certwheel.io',
    post(`${OURS}/namespaces/${TENANT}/certificateauthorities`, authority('CertificateAuthority')),
  ),
  forbidden(
    'an authority of the cluster',
    'create clustercertificateauthorities.certwheel.io',
    post(`${OURS}/clustercertificateauthorities`, authority('ClusterCertificateAuthority')),
  ),
  forbidden(
    'an approval of a request',
    'create certificateapprovals.certwheel.io',
    post(`${OURS}/namespaces/${TENANT}/certificateapprovals`, APPROVAL),
  ),
  forbidden(
    'the labels of a namespace',
    'patch namespaces',
    patch(`/api/v1/namespaces/${TENANT}`, { metadata: { labels: { a: 'b' } } }),
  ),
  forbidden(
    'a request approved',
    'patch certificatesigningrequests/approval.certificates.k8s.io',
    patch(`${CSRS}/a-persons/approval`, { metadata: { labels: { a: 'b' } } }),
  ),
  forbidden('a role', 'create clusterroles.rbac.authorization.k8s.io', post(`${RBAC}/clusterroles`, role)),
  forbidden(
    'a binding',
    'create clusterrolebindings.rbac.authorization.k8s.io',
    post(`${RBAC}/clusterrolebindings`, BINDING),
  ),
  forbidden(
    'the policy deleted',
    'delete validatingadmissionpolicies.admissionregistration.k8s.io',
    remove(`${ADMISSION}/validatingadmissionpolicies/certwheel.${CONTROLLER}`),
  ),
  forbidden(
    'a CRD deleted',
    'delete customresourcedefinitions.apiextensions.k8s.io',
    remove('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clientcertificates.certwheel.io'),
  ),
];
