import { cloudflare as definition } from '../../../src/backends/cloudflare.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { direct } from './cloudflare-direct.ts';
import {
  asksForCertificate,
  base64,
  type CloudflareWorld,
  cloudflareSpec,
  newToken,
  putToken,
  startCloudflare,
  TOKEN_SECRET,
} from './cloudflare-world.ts';
import { startMeddler } from './intercepting-proxy.ts';
import {
  ADDRESS_CHECKS,
  type CheckRow,
  CLIENT_USAGES,
  CONCEALED,
  type Place,
  type Served,
  type Subject,
} from './subject.ts';

/** That of test/programs/cloudflare; cloudflare-sdk.test.ts compares the two. */
export const SDK_VERSION = '7.3.0';

let started: CloudflareWorld | undefined;

/** A row about a token of that kind. */
function tokenRow(step: string, token: Parameters<typeof newToken>[1], says: string): CheckRow {
  return {
    step,
    reason: 'CredentialsRefused',
    says,
    spoil: async (good, where) => {
      if (started !== undefined) await putToken(where, newToken(started.fake, token));
      return good;
    },
  };
}

const NEEDS = 'must be valid and have the permission SSL and Certificates Write on zone';

export const cloudflareSubject: Subject = {
  type: 'cloudflare',
  capabilities: definition.capabilities,
  exempt: { 'requests that are answered later': 'Cloudflare answers at once; its key is kept for lost answers' },
  clientCsr: { extensions: CLIENT_USAGES },
  lives: ['1h', '24h', '2160h'],
  refusedLives: [],
  checks: [
    ...ADDRESS_CHECKS,
    {
      step: 'the server is of another CA of the same name',
      ...CONCEALED,
      spoil: (good) => ({
        ...good,
        caBundle: base64(createIssuer('CA of the fake of Cloudflare').certificatePem),
      }),
    },
    {
      step: 'it is another zone',
      reason: 'CredentialsRefused',
      says: 'Cloudflare says that the token is active, so the id is wrong, or the token lacks this permission on zone ffff',
      spoil: (good) => ({ ...good, zone: 'f'.repeat(32) }),
    },
    {
      step: 'there is no Secret',
      reason: 'CredentialsNotFound',
      says: 'kubectl create secret generic -n',
      spoil: (good) => ({ ...good, apiTokenSecretRef: { name: 'gone' } }),
    },
    {
      step: 'the Secret lacks the key',
      reason: 'CredentialsNotFound',
      says: 'has no key other',
      spoil: (good) => ({ ...good, apiTokenSecretRef: { name: TOKEN_SECRET, key: 'other' } }),
    },
    {
      step: 'the token is unknown',
      reason: 'CredentialsRefused',
      says: 'Cloudflare knows no token of a user with this value: copy the whole token again',
      spoil: async (good, where) => {
        await putToken(where, 'unknown');
        return good;
      },
    },
    {
      step: 'the token is in quotation marks',
      reason: 'CredentialsRefused',
      says: 'the value is in quotation marks, which must not be part of it; write it with: kubectl create secret',
      spoil: async (good, where) => {
        await putToken(where, '"quoted"');
        return good;
      },
    },
    {
      step: 'the trust bundle is no PEM',
      reason: 'TrustBundleRefused',
      says: 'write the CA certificates in PEM there',
      spoil: (good) => ({ ...good, trustBundle: { inline: 'none' } }),
    },
    tokenRow('the token is of another zone', { access: 'none' }, NEEDS),
    tokenRow('the token may read alone', { access: 'read' }, 'the token is active, so it lacks this permission'),
    tokenRow('the token has expired', { status: 'expired' }, 'key token is expired; put another one there'),
    tokenRow('the token is disabled', { status: 'disabled' }, 'key token is disabled; put another one there'),
    {
      step: 'the quota is used up by certificates of others',
      reason: 'AuthorityBusy',
      says: 'have Cloudflare raise the quota and set maxCertificates',
      spoil: async (good) => {
        if (started !== undefined)
          await direct(started).backend.issue(await issueRequest('of another'), new AbortController().signal);
        return { ...good, maxCertificates: 1 };
      },
    },
    {
      step: 'there is no trust bundle',
      reason: 'TrustBundleNotFound',
      says: 'gone, which is to hold the CA',
      spoil: (good) => ({ ...good, trustBundle: { configMap: { name: 'gone' } } }),
    },
  ],
  start: async () => {
    started = await startCloudflare();
    console.log(`# fake of Cloudflare, shapes of SDK ${SDK_VERSION}`);
    return serve(started);
  },
};

/** The subject's server, on that fake. */
export async function serve(world: CloudflareWorld): Promise<Served> {
  const { fake } = world;
  const proxy = await startMeddler({ url: fake.origin, ca: fake.ca }, fake.tls);
  const tokens = new Map<string, string>();
  const giveToken = async (where: Place) => {
    const token = newToken(fake);
    tokens.set(where.namespace, token);
    await putToken(where, token);
  };
  return {
    prepare: async (where, url) => {
      await giveToken(where);
      return cloudflareSpec(world, url === undefined ? {} : { server: `${url}/client/v4` });
    },
    signer: {
      halt: () => fake.halt(),
      start: () => fake.start(),
      booked: async () => fake.zone.issued.length,
    },
    server: {
      url: fake.url,
      proxy,
      asksForCertificate,
      rotateCredentials: async (where) => {
        fake.tokens.delete(tokens.get(where.namespace) ?? '');
        await giveToken(where);
      },
    },
    revocation: {
      backend: () => direct(world).backend,
      saysOf: async (serialNumber) => {
        const found = fake.zone.issued.find((each) => each.serial_number.toLowerCase() === serialNumber);
        return found?.status === 'active' ? undefined : found?.status;
      },
      superseded: /^pending_revocation$/,
    },
    stop: async () => {
      await proxy.stop();
      await fake.stop();
    },
  };
}
