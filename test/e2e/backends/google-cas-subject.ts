import { SECRETS } from '../../../src/api/names.ts';
import { googleCAS } from '../../../src/backends/google-cas.ts';
import { directGoogle } from './google-cas-direct.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { type GoogleCas, startGoogleCas } from './servers/google-cas.ts';
import { CERTWHEEL, REQUESTER } from './servers/google-identities.ts';
import { addCa, newPool, type Pool, type PoolCa } from './servers/google-pools.ts';
import { LOCATION, PROJECT } from './servers/google-service.ts';
import {
  type CheckRow,
  CLIENT_USAGES,
  CONCEALED,
  type Place,
  type Served,
  type Server,
  type Spec,
  type Subject,
} from './subject.ts';

export const KEY_SECRET = 'google-key';

/** The accounts of the rows below, which the fake knows. */
const ACCOUNTS = {
  certwheel: { permissions: [...REQUESTER, ...CERTWHEEL] },
  revoker: { permissions: [...REQUESTER, ...CERTWHEEL] },
  reader: { permissions: CERTWHEEL },
  foreign: { permissions: [] },
  ahead: { permissions: [...REQUESTER, ...CERTWHEEL], clockAheadMs: 7_200_000 },
} as const;
let fake: GoogleCas | undefined;

const spoilt = (step: string, reason: CheckRow['reason'], says: string, change: Spec): CheckRow => ({
  step,
  reason,
  says,
  spoil: (good) => ({ ...good, ...change }),
});

const withKey = (step: string, says: string, keyFile: () => string): CheckRow => ({
  step,
  reason: 'CredentialsRefused',
  says,
  spoil: async (good, where) => {
    await putKey(where, keyFile());
    return good;
  },
});

export const googleCasSubject: Subject = {
  type: 'googleCAS',
  capabilities: googleCAS.capabilities,
  provenByCertificate: true,
  exempt: { 'requests that are answered later': 'Google answers at once' },
  // The last is more than the pool allows.
  clientCsr: { extensions: CLIENT_USAGES },
  lives: ['1m', '1h', '24h', '200h'],
  refusedLives: [],
  checks: [
    spoilt(
      'the endpoint is not below googleapis.com',
      'AuthorityMisconfigured',
      'only a ClusterCertificateAuthority may name such a host',
      {
        endpoint: 'https://ca.example.com',
      },
    ),
    { step: 'nothing listens', ...CONCEALED, spoil: (good) => ({ ...good, endpoint: 'https://127.0.0.1:1' }) },
    { step: 'the server is of another CA', ...CONCEALED, spoil: ({ caBundle: _, ...good }) => good },
    {
      step: 'the endpoint has a path',
      reason: 'AuthorityMisconfigured',
      says: 'which has a path; write the address alone: https://127.0.0.1:',
      spoil: (good) => ({ ...good, endpoint: `${good.endpoint}/v1` }),
    },
    spoilt(
      'the login is that of the controller',
      'AuthorityMisconfigured',
      'only a ClusterCertificateAuthority may use; use auth.workloadIdentity',
      {
        auth: { ambient: {} },
      },
    ),
    spoilt('there is no such project', 'CredentialsRefused', 'compare project, location and pool of spec.googleCAS', {
      project: 'another-project',
    }),
    spoilt(
      'there is no such location',
      'AuthorityMisconfigured',
      `gcloud privateca locations list --project=${PROJECT}`,
      {
        location: 'mars-north1',
      },
    ),
    spoilt(
      'there is no such pool',
      'AuthorityMisconfigured',
      `the pool projects/${PROJECT}/locations/${LOCATION}/caPools/nowhere must exist`,
      {
        caPool: 'nowhere',
      },
    ),
    spoilt('there is no such CA', 'AuthorityMisconfigured', 'gcloud privateca roots list', {
      certificateAuthority: 'absent',
    }),
    spoilt('there is no such template', 'AuthorityMisconfigured', 'gcloud privateca templates list', {
      certificateTemplate: 'absent',
    }),
    spoilt('the CA of the pool is disabled', 'AuthorityMisconfigured', 'has no Certificate Authority that is enabled', {
      caPool: 'disabled',
    }),
    spoilt('the pool takes no CSRs', 'AuthorityMisconfigured', 'set allowCsrBasedIssuance: true', { caPool: 'no-csr' }),
    spoilt('the pool drops all names', 'AuthorityMisconfigured', 'drop both the subject and the SANs', {
      caPool: 'nameless',
    }),
    spoilt('there is no Secret', 'CredentialsNotFound', 'make it with: kubectl create secret generic -n ', {
      auth: { secretRef: { name: 'gone' } },
    }),
    spoilt(
      'the Secret lacks the key',
      'CredentialsNotFound',
      `has no key other, or it is empty; write it with: kubectl create secret generic -n `,
      {
        auth: { secretRef: { name: KEY_SECRET, key: 'other' } },
      },
    ),
    withKey('the key file is none', 'this is no key file of a service account: it is no JSON', () => 'none'),
    withKey('the key file names URLs', 'use spec.googleCAS.auth.workloadIdentity in its place', () =>
      JSON.stringify({ type: 'external_account', token_url: 'https://evil.example' }),
    ),
    withKey(
      'the account may not request',
      '--role=roles/privateca.certificateRequester --member=serviceAccount:reader@',
      () => keyOf('reader'),
    ),
    withKey(
      'the account is of another project',
      `--role=projects/${PROJECT}/roles/certwheel --member=serviceAccount:foreign@`,
      () => keyOf('foreign'),
    ),
    withKey('the clocks are apart', 'was answered UNAUTHENTICATED', () => keyOf('ahead')),
    withKey(
      'the key was deleted',
      '/google-key, key key.json must exist and its service account must be enabled: gcloud iam service-accounts keys list --iam-account=certwheel@',
      () => {
        const file = JSON.parse(keyOf('certwheel')) as Record<string, string>;
        return JSON.stringify({ ...file, private_key_id: '0'.repeat(40) });
      },
    ),
  ],
  start: () => startGoogleCas().then(serve),
};

/** The fake with the pools and the accounts of the rows, and a proxy whose certificate is the same. */
export async function serve(
  google: GoogleCas,
): Promise<Served & { readonly google: GoogleCas; readonly server: Server }> {
  fake = google;
  google.pool.issuancePolicy = { maximumLifetime: '604800s' };
  const add = async (id: string, policy: Pool['issuancePolicy'], state: PoolCa['state']) => {
    const pool = newPool(id, 'ENTERPRISE', policy);
    await addCa(pool, 'ca-1', state);
    google.service.pools.set(id, pool);
  };
  await add('disabled', {}, 'DISABLED');
  await add('no-csr', { allowedIssuanceModes: { allowConfigBasedIssuance: true } }, 'ENABLED');
  await add('nameless', { identityConstraints: { allowSubjectPassthrough: false } }, 'ENABLED');
  for (const [name, { permissions, ...clock }] of Object.entries(ACCOUNTS))
    google.identities.addAccount(name, permissions, clock);
  const { certificatePem: cert, keyPem: key } = google.tls;
  const proxy = await startMeddler({ url: google.url, ca: google.ca }, { cert, key });
  const secrets = { [KEY_SECRET]: { 'key.json': keyOf('revoker') } };
  return {
    google,
    prepare: async (where, url = google.url) => {
      await putKey(where, keyOf('certwheel'));
      return googleSpec(google, { endpoint: url });
    },
    signer: { halt: () => google.halt(), start: () => google.start(), booked: async () => google.pool.booked },
    server: {
      url: google.url,
      proxy,
      asksForCertificate: ({ path }) => path.includes('/certificates?certificateId=') && !path.includes('validateOnly'),
      rotateCredentials: async (where) => {
        google.identities.deleteKeys(emailOf('certwheel'));
        await putKey(where, keyOf('certwheel'));
      },
    },
    revocation: {
      backend: () => directGoogle(googleSpec(google), { secrets }),
      saysOf: async (serialNumber) => stateOf(google, serialNumber),
      superseded: /^SUPERSEDED$/,
    },
    stop: async () => {
      await proxy.stop();
      await google.halt();
    },
  };
}

/** `spec.googleCAS` for the fake, logged in by a key file in the Secret `google-key`, unless told otherwise. */
export function googleSpec({ url, ca }: Pick<GoogleCas, 'url' | 'ca'>, spec: Spec = {}): Spec {
  return {
    project: PROJECT,
    location: LOCATION,
    caPool: 'clients',
    endpoint: url,
    caBundle: Buffer.from(ca).toString('base64'),
    auth: { secretRef: { name: KEY_SECRET, key: 'key.json' } },
    ...spec,
  };
}

export async function putKey({ world, namespace }: Place, keyFile: string): Promise<void> {
  const data = { 'key.json': Buffer.from(keyFile).toString('base64') };
  await world.client.apply(SECRETS, { metadata: { namespace, name: KEY_SECRET }, type: 'Opaque', data });
}

function emailOf(account: keyof typeof ACCOUNTS): string {
  return `${account}@${PROJECT}.iam.gserviceaccount.com`;
}

function keyOf(account: keyof typeof ACCOUNTS): string {
  if (fake === undefined) throw new Error('the fake has not started');
  return fake.identities.keyFile(emailOf(account));
}

/** What the fake holds of a certificate that is revoked. */
function stateOf({ pool }: GoogleCas, serialNumber: string): string | undefined {
  for (const { certificateDescription, revocationDetails } of pool.certificates.values()) {
    const { subjectDescription } = certificateDescription as { subjectDescription: { hexSerialNumber: string } };
    if (subjectDescription.hexSerialNumber === serialNumber) return revocationDetails?.revocationState;
  }
  return undefined;
}
