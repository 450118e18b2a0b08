/** Valid objects. The small ones are what people begin with; together the full ones set every field that there is. */

import type { Json } from './api.ts';
import { ALL_SOLVERS } from './rules-acme-solvers.ts';
import { authorityStatus, conditions, moment } from './samples-status.ts';
import {
  cloudflareMTLS,
  clusterTrustBundle,
  configMap,
  secret,
  sources,
  verifierAtAddress,
  verifierOfService,
} from './samples-trust.ts';

export type Kind = 'ClientCertificate' | 'CertificateAuthority' | 'ClusterCertificateAuthority' | 'CertificateApproval';

export function sample(kind: Kind, spec: Json, status?: Json): Json {
  const object: Json = { apiVersion: 'certwheel.io/v1alpha1', kind, metadata: { name: 'sample' }, spec };
  return status === undefined ? object : { ...object, status };
}

const SMALLEST: Readonly<Record<Kind, Json>> = {
  ClientCertificate: { authorityRef: { name: 'demo-ca' }, secretName: 'client-tls', commonName: 'client' },
  CertificateAuthority: { selfManaged: { commonName: 'demo' } },
  ClusterCertificateAuthority: { selfManaged: { commonName: 'demo' } },
  CertificateApproval: {
    clientCertificateRef: { name: 'client', uid: '6a7c4f3e' },
    authorityRef: { name: 'demo-ca' },
    request: { commonName: 'client' },
    decision: 'Approved',
    validUntil: '2126-01-31T12:00:00Z',
  },
};

export function smallest(kind: Kind): Json {
  return sample(kind, SMALLEST[kind]);
}

const subject = {
  organizations: ['Example'],
  organizationalUnits: ['Payments'],
  countries: ['DE'],
  provinces: ['Berlin'],
  localities: ['Berlin'],
  streetAddresses: ['Unter den Linden 1'],
  postalCodes: ['10117'],
  serialNumber: 'A-4711',
};
const passwordSecretRef = { name: 'password', key: 'password' };

const clientCertificate = sample(
  'ClientCertificate',
  {
    authorityRef: { kind: 'ClusterCertificateAuthority', name: 'platform' },
    secretName: 'client-tls',
    commonName: 'client',
    subject,
    dnsNames: ['client.example.com', '*.clients.example.com'],
    uris: ['spiffe://example.com/client'],
    emailAddresses: ['client@example.com'],
    ipAddresses: ['192.0.2.7', '2001:db8::7'],
    duration: '24h',
    renewBefore: '8h',
    privateKey: { algorithm: 'RSA', size: 3072, encoding: 'PKCS1', rotationPolicy: 'Never' },
    usages: ['digital signature', 'client auth'],
    additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
    keystores: {
      pkcs12: { create: true, passwordSecretRef, alias: 'client', profile: 'LegacyDES' },
      jks: { create: true, passwordSecretRef, alias: 'client' },
    },
    secretDataNames: { certificate: 'client.crt', privateKey: 'client.key', ca: 'root.crt' },
    secretTemplate: { labels: { team: 'payments' }, annotations: { 'example.com/owner': 'payments' } },
    suspend: true,
    deletionPolicy: 'Retain',
  },
  {
    conditions,
    observedGeneration: 1,
    serialNumber: '0a1b',
    fingerprintSHA256: 'ab'.repeat(32),
    publicKeyPinSHA256: 'A'.repeat(44),
    notBefore: moment,
    notAfter: moment,
    renewalTime: moment,
    revision: 1,
    authorityGeneration: 1,
    issuedBy: 'CertificateAuthority/reserve',
    lastFailure: { time: moment, reason: 'AuthorityUnavailable', message: 'no answer', attempts: 3 },
    revocations: [{ serialNumber: '3f2a', state: 'Refused', message: 'it is not listed' }],
    nextAttemptTime: moment,
  },
);

const withPercentage = sample('ClientCertificate', {
  authorityRef: { name: 'demo-ca' },
  secretName: 'client-tls',
  commonName: 'client',
  renewBeforePercentage: 30,
});

/** Of a client that keeps its private key itself. */
const withRequest = [
  { inline: 'a certificate request' },
  { configMapKeyRef: { name: 'partner', key: 'client.csr' } },
  { secretKeyRef: { name: 'partner', key: 'client.csr' } },
].map((csr) =>
  sample('ClientCertificate', {
    authorityRef: { name: 'demo-ca' },
    secretName: 'client-tls',
    commonName: 'client',
    csr,
  }),
);

const authoritySpec = {
  selfManaged: { commonName: 'demo', subject, duration: '43800h', privateKey: { algorithm: 'RSA', size: 4096 } },
  limits: { maxDuration: '168h', keyAlgorithms: ['ECDSA', 'RSA'], usages: ['digital signature', 'client auth'] },
  rateLimit: { requests: 20, per: 'Minute', burst: 40 },
  quota: { issuances: 5000, per: 'Week' },
  allowSystemIdentities: true,
  fallback: { name: 'reserve' },
  caRotation: {
    mode: 'Manual',
    paused: true,
    soak: '10m',
    propagation: '5m',
    progressDeadline: '12h',
    retireAfter: '48h',
    reissue: { requests: 50, per: '1m', maxFailures: 5 },
  },
  revocation: {
    superseded: 'Revoke',
    deleted: 'Revoke',
    policyViolation: 'Revoke',
    delay: '10m',
    serials: ['3f2a=keyCompromise'],
    url: 'http://certwheel-responder.certwheel.svc',
    crl: { validity: '24h', upper: [{ configMap: { name: 'root-crl', key: 'root.crl' } }] },
  },
};
const bundles = [
  { configMap: { name: 'ca', key: 'ca.pem' }, partialChain: true },
  { secret: { name: 'ca', key: 'ca.pem' }, partialChain: true },
  { inline: 'PEM', partialChain: true },
];
const kubernetesCSR = { signerName: 'example.com/clients', approve: false };
const pkcs11 = { uri: 'pkcs11:token=shop-ca;object=ca-v1' };
const certManager = { issuerRef: { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' } };
const vault = {
  server: 'https://vault.example.com:8200/behind',
  caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  namespace: 'team-a/pki',
  mount: 'pki',
  role: 'client',
  issuerRef: 'clients-2026',
};
const logins: readonly Json[] = [
  { kubernetes: { path: 'kubernetes', role: 'certwheel', serviceAccountName: 'certwheel', audience: 'vault' } },
  { appRole: { path: 'approle', roleId: '675a50e7-cfe0', secretRef: { name: 'approle', key: 'secretId' } } },
  { jwt: { path: 'jwt', role: 'certwheel', serviceAccountRef: { name: 'certwheel', audience: 'vault' } } },
  { jwt: { path: 'ci', role: 'certwheel', secretRef: { name: 'ci-jwt', key: 'jwt' } } },
  { cert: { path: 'cert', role: 'certwheel', secretRef: { name: 'vault-login' } } },
  { tokenSecretRef: { name: 'vault-token', key: 'token' } },
];
const googleCAS = {
  project: 'example-project',
  location: 'europe-west3',
  caPool: 'clients',
  certificateAuthority: 'clients-2026',
  certificateTemplate: 'projects/123456789012/locations/europe-west3/certificateTemplates/client',
  endpoint: 'https://privateca-certwheel.p.googleapis.com',
  caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
};
const provider = 'projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/payments';
const googleLogins: readonly Json[] = [
  { secretRef: { name: 'google-key', key: 'key.json' } },
  {
    workloadIdentity: {
      audience: `//iam.googleapis.com/${provider}`,
      serviceAccountRef: { name: 'certwheel-google' },
      serviceAccountEmail: 'certwheel@example-project.iam.gserviceaccount.com',
    },
  },
  { ambient: {} },
];
const awsPrivateCA = {
  arn: 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555',
  endpoint: 'https://vpce-1.acm-pca.eu-central-1.vpce.amazonaws.com',
  stsEndpoint: 'https://vpce-1.sts.eu-central-1.vpce.amazonaws.com',
  caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  templateArn: 'arn:aws:acm-pca:::template/BlankEndEntityCertificate_CSRPassthrough/V1',
  signingAlgorithm: 'SHA384WITHECDSA',
  assumeRoleArn: 'arn:aws:iam::444455556666:role/clients/ca',
  externalId: 'certwheel-1',
};
const awsLogins: readonly Json[] = [
  { secretRef: { name: 'aws-key' } },
  {
    serviceAccountRef: {
      name: 'certwheel-aws',
      roleArn: 'arn:aws:iam::111122223333:role/certwheel',
      audience: 'sts.amazonaws.com',
    },
  },
  { ambient: {} },
];
const awsOfVault = {
  path: 'aws',
  role: 'certwheel',
  region: 'eu-central-1',
  stsEndpoint: awsPrivateCA.stsEndpoint,
  serverIDHeader: 'vault.example.com',
  assumeRoleArn: awsPrivateCA.assumeRoleArn,
  externalId: awsPrivateCA.externalId,
};
const provisioners: readonly Json[] = [
  { secretRef: { name: 'provisioner' } },
  { x5c: { secretRef: { name: 'step-login' } } },
  { k8sSA: { secretRef: { name: 'step-token', key: 'token' } } },
];
const cloudflare = {
  zone: '023e105f4ecef8ad9ca31a8372d0c353',
  apiTokenSecretRef: { name: 'cloudflare-token', key: 'token' },
  maxCertificates: 200,
  revokeAfter: '10m',
  hostnames: ['api.example.com', '*.mtls.example.com'],
  server: 'https://cloudflare.example.com/client/v4',
  caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
};
const acme = {
  server: 'https://ca.example.com/acme/clients/directory',
  caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  email: ['certificates@example.com'],
  externalAccountBinding: { keyID: 'kid-1', keySecretRef: { name: 'acme-binding', key: 'hmac' } },
  accountKeyRollover: 1,
  profile: 'clients',
  enableDurationFeature: true,
};
const BACKENDS: readonly Json[] = [
  ...googleLogins.map((auth) => ({ googleCAS: { ...googleCAS, auth } })),
  { secret: { name: 'ca-pair', partialChain: true } },
  ...provisioners.map((credential) => ({
    stepCA: {
      server: 'https://ca.example.com:9000',
      rootFingerprints: ['ab'.repeat(32)],
      provisioner: { name: 'certwheel', ...credential },
    },
  })),
  ...[{ configMap: { name: 'hsm-ca' } }, { secret: { name: 'hsm-ca' } }].flatMap((certificate) => [
    {
      pkcs11: {
        ...pkcs11,
        pinSecretRef: { name: 'hsm-pin', key: 'pin' },
        certificate: { ...certificate, partialChain: true },
      },
    },
    { pkcs11: { ...pkcs11, pinFile: 'hsm/pin', certificate: { ...certificate, partialChain: true } } },
  ]),
  ...bundles.map((trustBundle) => ({ acme: { ...acme, trustBundle } })),
  ...ALL_SOLVERS.map((solver) => ({ acme: { ...acme, trustBundle: bundles[0], solvers: [solver] } })),
  ...logins.map((auth) => ({ vault: { ...vault, auth } })),
  ...awsLogins.map((credentials) => ({ vault: { ...vault, auth: { aws: { ...awsOfVault, credentials } } } })),
  ...awsLogins.map((auth) => ({ awsPrivateCA: { ...awsPrivateCA, auth } })),
  ...bundles.flatMap((trustBundle) => [
    { kubernetesCSR: { ...kubernetesCSR, trustBundle } },
    { certManager: { ...certManager, trustBundle } },
    { vault: { ...vault, auth: logins[0], trustBundle } },
    { cloudflare: { ...cloudflare, trustBundle } },
    { selfManaged: { commonName: 'demo', externalRoot: { instructions: 'mail it to ca@example.com', trustBundle } } },
    { external: { instructions: 'mail it to ca@example.com', trustBundle } },
  ]),
];
const selector = {
  matchLabels: { team: 'payments' },
  matchExpressions: [{ key: 'stage', operator: 'In', values: ['production'] }],
};

/** All that a rule can say, but for whom it serves. */
const allowed = {
  commonNames: ['{namespace}-*', "{namespace.labels['example.com/team']}"],
  dnsNames: ['*.{namespace}.svc', '[*].example.com'],
  uris: ['spiffe://example.com/ns/{namespace}/sa/*', 'https://[2001:db8::7]/%2F'],
  emailAddresses: ['*@example.com'],
  ipAddresses: ['192.0.2.0/24', '2001:db8::7'],
  subject: {
    organizations: ['Example'],
    organizationalUnits: ['Unit (a) *'],
    countries: ['DE'],
    provinces: ['Hamburg'],
    localities: ['Hamburg'],
    streetAddresses: ['1 Quay'],
    postalCodes: ['20*'],
    serialNumbers: ['*'],
  },
  maxDuration: '24h',
  keyAlgorithms: ['ECDSA'],
  usages: ['client auth', 'digital signature'],
  maxCertificates: 100,
  approval: 'Required',
};
const policy = { rules: [{ name: 'everybody', ...allowed }] };
/** A source is of one kind; each kind comes first in some sample. */
const furtherSources = (index: number): readonly Json[] => sources.slice(1 + (index % (sources.length - 1)));
/** What is said of namespaces alike, wherever they are chosen. */
const forNamespaces = (namespaces: Json, target: Json, verifier: Json = verifierAtAddress, index = 0): Json => ({
  allowedNamespaces: namespaces,
  issuancePolicy: { rules: [{ name: 'everybody', namespaces, ...allowed }] },
  trust: {
    sources: target === configMap ? sources.slice(0, 1) : furtherSources(index),
    targets: [target === clusterTrustBundle || target === cloudflareMTLS ? target : { ...target, namespaces }],
    verifiers: [verifier],
  },
});

/** Backends exclude each other, and so do the ways to allow namespaces; hence several of each kind. */
export const FULL: Readonly<Record<Kind, readonly Json[]>> = {
  ClientCertificate: [clientCertificate, withPercentage, ...withRequest],
  CertificateAuthority: [
    sample(
      'CertificateAuthority',
      {
        ...authoritySpec,
        issuancePolicy: policy,
        trust: {
          sources: sources.slice(0, 1),
          targets: [configMap, cloudflareMTLS],
          verifiers: [verifierOfService({})],
        },
      },
      authorityStatus,
    ),
    ...BACKENDS.map((spec, index) =>
      sample('CertificateAuthority', {
        ...spec,
        trust: {
          sources: furtherSources(index),
          targets: [index === 0 ? cloudflareMTLS : secret],
          verifiers: [verifierAtAddress],
        },
      }),
    ),
  ],
  ClusterCertificateAuthority: [
    sample(
      'ClusterCertificateAuthority',
      { ...authoritySpec, ...forNamespaces({ selector }, configMap, verifierOfService({ namespace: 'payments' })) },
      authorityStatus,
    ),
    ...BACKENDS.map((spec, index) =>
      sample('ClusterCertificateAuthority', {
        ...spec,
        ...forNamespaces({ names: ['payments'] }, secret, verifierAtAddress, index),
      }),
    ),
    sample('ClusterCertificateAuthority', {
      kubernetesCSR: { ...kubernetesCSR, approve: true, trustBundle: { inline: 'PEM' } },
      ...forNamespaces({ all: true }, clusterTrustBundle),
    }),
    sample('ClusterCertificateAuthority', { ...authoritySpec, ...forNamespaces({ all: true }, configMap) }),
    sample('ClusterCertificateAuthority', { ...authoritySpec, ...forNamespaces({ all: true }, cloudflareMTLS) }),
  ],
  CertificateApproval: [
    sample('CertificateApproval', {
      ...SMALLEST.CertificateApproval,
      authorityRef: { kind: 'ClusterCertificateAuthority', name: 'platform' },
      request: {
        commonName: 'client',
        subject,
        dnsNames: ['client.example.com', '*.clients.example.com'],
        uris: ['spiffe://example.com/client'],
        emailAddresses: ['client@example.com'],
        ipAddresses: ['192.0.2.7'],
        usages: ['digital signature', 'client auth'],
        duration: '12h',
        privateKey: { algorithm: 'RSA', size: 3072 },
      },
      reason: 'ticket 4711',
    }),
  ],
};

/** RFC 7386: null removes, objects are merged, all else replaces. */
export function merge(target: Json, patch: Json): Json {
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = merge(isObject(before) ? before : {}, value);
    else result[key] = value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
