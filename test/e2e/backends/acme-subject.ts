import { randomUUID } from 'node:crypto';
import type { AcmeSolver } from '../../../src/api/generated/types.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { acme } from '../../../src/backends/acme.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { acmeDirect, acmeRequest, issueAll } from './acme-direct.ts';
import { identitiesBelow, realAcme } from './acme-real.ts';
import { makeAcmeStepCa, stepCaSpec } from './acme-servers.ts';
import { startMeddler } from './intercepting-proxy.ts';
import type { Environment } from './real-environment.ts';
import { bindPrograms, startBind, type TestKey } from './servers/bind.ts';
import type { StepCa } from './servers/step-ca.ts';
import { serverCertificate } from './servers/step-ca-files.ts';
import { entryOf } from './step-ca-subject.ts';
import {
  ADDRESS_CHECKS,
  CONCEALED,
  type Place,
  type RealSubject,
  type Served,
  type Server,
  type Spec,
  type Subject,
} from './subject.ts';
import { base64 } from './vault-world.ts';

const KEY: TestKey = {
  name: 'certwheel',
  algorithm: 'hmac-sha256',
  secret: base64('a secret of thirty-two bytes....'),
};
const TSIG = 'acme-tsig';
const NO_KEY_CHANGE = 'the server can not replace the key of an account';
/** Where the account of the authority `ca` is kept. */
const ACCOUNT = 'ca-ca-acme-account';

export const acmeSubject: Subject = {
  type: 'acme',
  capabilities: acme.capabilities,
  exempt: {
    'requests that are answered later':
      'an order is no object of the cluster: acme-lost-answers.test.ts has these tests',
    'credentials that are rotated under it': 'its account key is its own: acme-account.test.ts replaces it',
  },
  ...identitiesBelow('example.com'),
  lives: ['5m', '1h', '24h'],
  refusedLives: [],
  checks: [
    ...ADDRESS_CHECKS,
    {
      step: 'the server is of another CA',
      ...CONCEALED,
      spoil: (good) => ({ ...good, caBundle: base64(createIssuer('another CA').certificatePem) }),
    },
    {
      step: 'the directory is elsewhere',
      ...CONCEALED,
      spoil: (good) => ({ ...good, server: String(good.server).replace('/acme/acme/', '/acme/absent/') }),
    },
    {
      step: 'the CA is public',
      reason: 'AuthorityMisconfigured',
      says: "Let's Encrypt issues no client certificates",
      spoil: (good) => ({ ...good, server: 'https://acme-v02.api.letsencrypt.org/directory' }),
    },
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: '/gone, which is to hold the CA under ca.crt',
      spoil: (good) => ({ ...good, trustBundle: { configMap: { name: 'gone' } } }),
    },
    {
      step: 'the trust bundle is no PEM',
      reason: 'TrustBundleRefused',
      says: 'write the CA certificates in PEM there',
      spoil: (good) => ({ ...good, trustBundle: { inline: 'none' } }),
    },
    {
      step: 'the profile is none of the server',
      reason: 'AuthorityMisconfigured',
      says: 'has no profile',
      spoil: (good) => ({ ...good, profile: 'certwheel-nowhere' }),
    },
    {
      step: 'there is no Secret with the key of the external account',
      reason: 'CredentialsNotFound',
      says: 'there is no Secret gone in namespace ',
      spoil: (good) => ({ ...good, externalAccountBinding: { keyID: 'kid-1', keySecretRef: { name: 'gone' } } }),
    },
    {
      step: 'the key of the account is damaged',
      reason: 'CredentialsRefused',
      says: `and Certwheel registers a new account: kubectl delete secret -n `,
      spoil: async (good, where) => {
        const labels = {
          'certwheel.io/acme-account-of': 'ca',
          'certwheel.io/authority-kind': 'CertificateAuthority',
        };
        await putSecret(where, ACCOUNT, { 'account.key': 'damaged' }, labels);
        return good;
      },
    },
    {
      step: 'the Secret of the account is of another program',
      reason: 'SecretNotOwned',
      says: `the ACME account is to be kept in Secret `,
      spoil: async (good, where) => {
        await putSecret(where, ACCOUNT, { password: 'dear' });
        return good;
      },
    },
    {
      step: NO_KEY_CHANGE,
      reason: 'AuthorityMisconfigured',
      says: 'it has no keyChange',
      spoil: async (good, where) => {
        const { secret } = await accountFor(good);
        const labels = {
          'certwheel.io/acme-account-of': 'ca',
          'certwheel.io/authority-kind': 'CertificateAuthority',
        };
        await putSecret(where, ACCOUNT, secret, labels);
        return { ...good, accountKeyRollover: 1 };
      },
    },
  ],
  start: async () => serve(),
};

/** An account that another controller has registered. */
async function accountFor(good: Spec) {
  const { backend, state } = acmeDirect(good as Parameters<typeof acmeDirect>[0]);
  await backend.check(new AbortController().signal);
  const { data = {} } = (await state.read()) ?? {};
  return { secret: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString()])) };
}

/** A step-ca with an ACME provisioner that asks a BIND, which takes updates of the zone of the test. */
export async function serve(): Promise<Served & { readonly ca: StepCa; readonly server: Server }> {
  const policy = [`grant ${KEY.name} subdomain example.com. TXT`];
  const bind = await startBind(await bindPrograms(), { keys: [KEY], zones: [{ name: 'example.com', policy }] });
  const ca = await makeAcmeStepCa({ dns: `127.0.0.1:${bind.port}` });
  await ca.start();
  const own = await serverCertificate('127.0.0.1', ca.issuer);
  const proxy = await startMeddler({ url: ca.url, ca: ca.root, keepsHost: true }, own);
  const solvers: AcmeSolver[] = [
    {
      dns01: {
        rfc2136: {
          nameserver: `127.0.0.1:${bind.port}`,
          zone: 'example.com',
          tsigKeyName: KEY.name,
          tsigAlgorithm: 'HMACSHA256',
          tsigSecretSecretRef: { name: TSIG, key: 'tsig' },
        },
        propagation: { nameservers: [`127.0.0.1:${bind.port}`], timeout: '20s' },
      },
    },
  ];
  return {
    ca,
    prepare: async (where, url = ca.url) => {
      await putSecret(where, TSIG, { tsig: KEY.secret });
      return { ...stepCaSpec(ca, url), solvers };
    },
    signer: {
      halt: () => ca.halt(),
      start: () => ca.start(),
      booked: async () =>
        ca.read('step-ca.log').match(/path=\/acme\/acme\/order\/\w+\/finalize .*status=200/g)?.length ?? 0,
    },
    server: {
      url: ca.url,
      proxy,
      asksForCertificate: ({ path }) => path.endsWith('/new-order'),
      rotateCredentials: async () => {},
    },
    revocation: {
      backend: () => namedBackend({ ...stepCaSpec(ca), solvers }),
      saysOf: (serial) => entryOf(ca, serial),
      superseded: /Superseded/,
    },
    stop: async () => {
      await proxy.stop();
      await ca.stop();
      await bind.stop();
    },
  };
}

/** The backend by itself, which gets each certificate for a name of its own. */
function namedBackend(spec: Parameters<typeof acmeDirect>[0], zone = 'example.com', tsig = KEY.secret): Backend {
  const { backend } = acmeDirect(spec, { secrets: { [TSIG]: { tsig } } });
  const names = () => ({ dnsNames: [`${randomUUID()}.${zone}`] });
  return { ...backend, issue: async () => issueAll(backend, await acmeRequest({ names: names() })) };
}

/** The server that the environment names, and what a run of the suite costs. Throws an Error for a variable that is not set. */
export function realSubject(env: Environment): RealSubject {
  const { zone, nameserver, tsigName, tsigSecret, spec } = realAcme(env);
  const tsig = { tsigAlgorithm: 'HMACSHA256', tsigKeyName: tsigName, tsigSecretSecretRef: { name: TSIG, key: 'tsig' } };
  const full = { ...spec, solvers: [{ dns01: { rfc2136: { nameserver, zone, ...tsig } } }] };
  const revoked = new Set<string>();
  return {
    ...acmeSubject,
    ...identitiesBelow(zone),
    costs: `about 15 certificates for names below ${zone}, one of which is revoked, and about 12 accounts, which stay; records of challenges are removed`,
    exempt: {
      ...acmeSubject.exempt,
      'a connection that is spoilt, slow or busy': 'no proxy stands before it',
      'a minute without what signs': 'the server is not ours to halt',
    },
    checks: acmeSubject.checks.filter(({ step }) => step !== NO_KEY_CHANGE),
    start: async () => ({
      prepare: async (where) => {
        await putSecret(where, TSIG, { tsig: tsigSecret });
        return full;
      },
      revocation: {
        backend: () => {
          const made = namedBackend(full as unknown as Parameters<typeof acmeDirect>[0], zone, tsigSecret);
          const revoke: typeof made.revoke = async (revocation, ...rest) => {
            await made.revoke?.(revocation, ...rest);
            revoked.add(revocation.serialNumber);
          };
          return { ...made, revoke };
        },
        // Where it tells of revocations differs from server to server.
        saysOf: async (serialNumber) => (revoked.has(serialNumber) ? 'the server took it' : undefined),
        superseded: /the server took it/,
      },
      stop: async () => {},
    }),
  };
}

async function putSecret(
  { world, namespace }: Place,
  name: string,
  content: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const data = Object.fromEntries(Object.entries(content).map(([key, value]) => [key, base64(value)]));
  await world.client.apply(SECRETS, { metadata: { namespace, name, labels }, type: 'Opaque', data });
}
