import { readKeyFile, selfSignedToken } from '../../../src/backends/google-cas/key-file.ts';
import { googleCAS } from '../../../src/backends/google-cas.ts';
import { directGoogle } from './google-cas-direct.ts';
import { KEY_SECRET, putKey } from './google-cas-subject.ts';
import { caBundleOf, type Environment, fileOf, required } from './real-environment.ts';
import type { CheckRow, RealSubject, Spec } from './subject.ts';

const VARIABLES = ['GOOGLE_CAS_PROJECT', 'GOOGLE_CAS_LOCATION', 'GOOGLE_CAS_POOL', 'GOOGLE_CAS_KEY_FILE'] as const;
const NOT_OURS = 'the real service is shared: nothing may stop it or stand before it';

/**
 * The subject for a pool of the caller's own: GOOGLE_CAS_PROJECT, GOOGLE_CAS_LOCATION, GOOGLE_CAS_POOL,
 * GOOGLE_CAS_KEY_FILE, and GOOGLE_CAS_TEMPLATE if one is used; GOOGLE_CAS_ENDPOINT and GOOGLE_CAS_CA_BUNDLE name a private
 * endpoint and the CA of its TLS. Throws an Error that names the variable that is missing.
 */
export function realSubject(environment: Environment): RealSubject {
  const given = required(environment, 'docs/authorities/google-cas.md', VARIABLES);
  const keyFile = fileOf(given, 'GOOGLE_CAS_KEY_FILE');
  const { GOOGLE_CAS_TEMPLATE: certificateTemplate, GOOGLE_CAS_ENDPOINT: endpoint } = environment;
  const caBundle = caBundleOf(environment, 'GOOGLE_CAS_CA_BUNDLE');
  const spec: Spec = {
    project: given.GOOGLE_CAS_PROJECT,
    location: given.GOOGLE_CAS_LOCATION,
    caPool: given.GOOGLE_CAS_POOL,
    ...(certificateTemplate ? { certificateTemplate } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(caBundle ? { caBundle } : {}),
    auth: { secretRef: { name: KEY_SECRET, key: 'key.json' } },
  };
  return {
    type: 'googleCAS',
    capabilities: googleCAS.capabilities,
    exempt: {
      'a connection that is spoilt, slow or busy': NOT_OURS,
      'credentials that are rotated under it': NOT_OURS,
      'a minute without what signs': NOT_OURS,
      'requests that are answered later': 'Google answers at once',
    },
    lives: ['1h', '24h'],
    refusedLives: [],
    checks: CHECKS,
    costs:
      "about 16 certificates of at most 24 h, billed by the pool's tier. They can't be deleted: they stay in the pool until they expire",
    start: async () => ({
      prepare: async (where) => {
        await putKey(where, keyFile);
        return spec;
      },
      revocation: {
        backend: () => directGoogle(spec, { secrets: { [KEY_SECRET]: { 'key.json': keyFile } } }),
        saysOf: (serialNumber) => revocationState(spec, keyFile, serialNumber),
        superseded: /^SUPERSEDED$/,
      },
      stop: async () => {},
    }),
  };
}

/** By the API itself, and by none of the code of the backend but its token. */
async function revocationState(spec: Spec, keyFile: string, serialNumber: string): Promise<string | undefined> {
  const parent = `projects/${spec.project}/locations/${spec.location}/caPools/${spec.caPool}`;
  const filter = `certificate_description.subject_description.hex_serial_number:${serialNumber}`;
  const token = selfSignedToken(readKeyFile(keyFile, 'GOOGLE_CAS_KEY_FILE'), new Date());
  const { endpoint = 'https://privateca.googleapis.com' } = spec;
  const url = `${endpoint}/v1/${parent}/certificates?${new URLSearchParams({ filter })}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { certificates = [] } = (await answer.json()) as {
    certificates?: { revocationDetails?: { revocationState: string } }[];
  };
  return certificates[0]?.revocationDetails?.revocationState;
}

const CHECKS: readonly CheckRow[] = [
  {
    step: 'there is no such pool',
    reason: 'AuthorityMisconfigured',
    says: 'gcloud privateca pools list',
    spoil: (good) => ({ ...good, caPool: 'certwheel-nowhere' }),
  },
  {
    step: 'there is no such project',
    reason: 'CredentialsRefused',
    says: 'compare project, location and pool of spec.googleCAS',
    spoil: (good) => ({ ...good, project: 'certwheel-no-such-project' }),
  },
  {
    step: 'the key was deleted',
    reason: 'CredentialsRefused',
    says: 'was answered UNAUTHENTICATED',
    spoil: async (good, where) => {
      const { GOOGLE_CAS_KEY_FILE = '' } = process.env;
      const file = JSON.parse(fileOf({ GOOGLE_CAS_KEY_FILE }, 'GOOGLE_CAS_KEY_FILE')) as Record<string, string>;
      await putKey(where, JSON.stringify({ ...file, private_key_id: '0'.repeat(40) }));
      return good;
    },
  },
];
