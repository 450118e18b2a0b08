import { SECRETS } from '../../../src/api/names.ts';
import { awsPrivateCA as definition } from '../../../src/backends/aws-private-ca.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { awsSpec, direct, KEY_SECRET, secretOf } from './aws-direct.ts';
import { type Exchange, startMeddler } from './intercepting-proxy.ts';
import { type FakeAws, REGION, startFakeAws } from './servers/aws.ts';
import type { Keys } from './servers/aws-sts.ts';
import {
  ADDRESS_CHECKS,
  type CheckRow,
  CLIENT_USAGES,
  CONCEALED,
  type Place,
  type Served,
  type Spec,
  type Subject,
} from './subject.ts';

/** Whose client judges the fake; see aws-private-ca-oracle.test.ts. */
const BOTOCORE = 'botocore 1.44.8';
const OTHER_CA = `arn:aws:acm-pca:${REGION}:111122223333:certificate-authority/99999999-2222-3333-4444-555555555555`;

let fake: FakeAws | undefined;

const mapped = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));

/** The rows of every server, whose address is `endpoint` here. */
export const ENDPOINT_CHECKS = ADDRESS_CHECKS.map(
  (row): CheckRow => ({
    ...row,
    spoil: async (good, where) => {
      const { server, ...others } = await row.spoil(good, where);
      return { ...others, endpoint: server };
    },
  }),
);

/** What can be wrong with the credentials. */
export const CREDENTIAL_CHECKS: readonly CheckRow[] = [
  {
    step: 'there is no Secret',
    reason: 'CredentialsNotFound',
    says: '--from-file=access-key-id=FILE --from-file=secret-access-key=FILE',
    spoil: (good) => ({ ...good, auth: { secretRef: { name: 'gone' } } }),
  },
  {
    step: 'the Secret lacks the secret access key',
    reason: 'CredentialsNotFound',
    says: 'has no key secret-access-key',
    spoil: async (good, where) => {
      await putKeys(where, { 'secret-access-key': Buffer.from('') });
      return good;
    },
  },
  {
    step: 'the secret access key is wrong',
    reason: 'CredentialsRefused',
    says: 'InvalidSignatureException',
    spoil: async (good, where) => {
      await putKeys(where, { 'secret-access-key': Buffer.from('wrong') });
      return good;
    },
  },
  {
    step: 'the access key is unknown',
    reason: 'CredentialsRefused',
    says: "AWS doesn't take the keys in Secret",
    spoil: async (good, where) => {
      await putKeys(where, { 'access-key-id': Buffer.from('AKIAUNKNOWN') });
      return good;
    },
  },
  {
    step: 'both values are exchanged',
    reason: 'CredentialsRefused',
    says: 'are access-key-id and secret-access-key exchanged?',
    spoil: async (good, where) => {
      const values = { 'access-key-id': 'wJalrXUtnFEMI', 'secret-access-key': 'AKIAIOSFODNN7EXAMPLE' };
      await putKeys(where, mapped(values));
      return good;
    },
  },
  {
    step: 'the session token of temporary credentials is missing',
    reason: 'CredentialsRefused',
    says: 'which AWS takes with their session-token alone',
    spoil: async (good, where) => {
      await putKeys(where, mapped({ 'access-key-id': 'ASIAIOSFODNN7EXAMPLE' }));
      return good;
    },
  },
  {
    step: 'the credentials are those of the controller',
    reason: 'AuthorityMisconfigured',
    says: 'auth.ambient is for a ClusterCertificateAuthority alone',
    spoil: (good) => ({ ...good, auth: { ambient: {} } }),
  },
];

export const awsPrivateCaSubject: Subject = {
  type: 'awsPrivateCA',
  capabilities: definition.capabilities,
  exempt: {
    'requests that are answered later':
      'they are no objects of the cluster; aws-private-ca-own.test.ts has those that AWS answers later',
  },
  clientCsr: { extensions: CLIENT_USAGES },
  lives: ['1m', '1h', '24h', '720h'],
  refusedLives: [],
  checks: [
    ...ENDPOINT_CHECKS,
    {
      step: 'the server is of another CA of the same name',
      ...CONCEALED,
      spoil: (good) => ({
        ...good,
        caBundle: Buffer.from(createIssuer('CA of the TLS certificate of AWS').certificatePem).toString('base64'),
      }),
    },
    { step: 'the server is of no CA that the system knows', ...CONCEALED, spoil: ({ caBundle: _, ...good }) => good },
    {
      step: 'there is no such CA in the account',
      reason: 'AuthorityMisconfigured',
      says: "there is no such CA in this account and region, or it isn't shared",
      spoil: (good) => ({ ...good, arn: OTHER_CA }),
    },
    {
      step: 'the CA is of another account, which does not share it',
      reason: 'CredentialsRefused',
      says: 'they are of account 444455556666 and the CA is of account 111122223333, which must share it',
      spoil: async (good, where) => {
        if (fake !== undefined) await putKeys(where, secretOf(fake.foreignKey()));
        return good;
      },
    },
    {
      step: 'the region is another',
      reason: 'AuthorityMisconfigured',
      says: 'the endpoint is not that of the region in spec.awsPrivateCA.arn',
      spoil: (good) => ({ ...good, arn: String(good.arn).replace(REGION, 'us-east-1') }),
    },
    {
      step: 'the signing algorithm is that of another kind of key',
      reason: 'AuthorityMisconfigured',
      says: 'signingAlgorithm SHA256WITHRSA',
      spoil: (good) => ({ ...good, signingAlgorithm: 'SHA256WITHRSA' }),
    },
    ...CREDENTIAL_CHECKS,
  ],
  start: async () => {
    fake = await startFakeAws();
    return serve(fake);
  },
};

/** Puts values into the Secret of the access key, beside what is there. */
export async function putKeys({ world, namespace }: Place, values: Readonly<Record<string, Buffer>>): Promise<void> {
  const present = (await world.client.get(SECRETS, namespace, KEY_SECRET))?.data ?? {};
  const given = Object.entries(values).map(([key, value]) => [key, value.toString('base64')]);
  const data = { ...present, ...Object.fromEntries(given) };
  await world.client.apply(SECRETS, { metadata: { namespace, name: KEY_SECRET }, type: 'Opaque', data });
}

/** Whether it is a certificate that AWS is asked for: the look at whether it would sign has no token. */
export function asksForCertificate({ body }: Exchange): boolean {
  return body.includes('"IdempotencyToken"');
}

export async function serve(aws: FakeAws): Promise<Served> {
  console.log(`# a fake of AWS Private CA, by API version 2017-08-22 as ${BOTOCORE} has it`);
  const proxy = await startMeddler({ url: aws.url, ca: aws.tlsCa, keepsHost: true }, aws.tls);
  const given = new Map<string, Keys>();
  const giveKey = async (where: Place) => {
    const keys = aws.accessKey();
    given.set(where.namespace, keys);
    await putKeys(where, secretOf(keys));
  };
  return {
    prepare: async (where, url = aws.url): Promise<Spec> => {
      await giveKey(where);
      return awsSpec(aws, { endpoint: url });
    },
    signer: {
      halt: () => aws.halt(),
      start: () => aws.start(),
      booked: async () => aws.service.books.length,
    },
    server: {
      url: aws.url,
      proxy,
      asksForCertificate,
      busyBody: '{"__type": "ThrottlingException", "message": "Rate exceeded"}',
      rotateCredentials: async (where) => {
        const former = given.get(where.namespace);
        await giveKey(where);
        if (former !== undefined) aws.deleteKey(former);
      },
    },
    revocation: {
      backend: () => direct(awsSpec(aws), { current: aws.accessKey() }),
      saysOf: async (serialNumber) => aws.service.books.find(({ serial }) => serial === serialNumber)?.revoked,
      superseded: /^SUPERSEDED$/,
    },
    stop: async () => {
      await proxy.stop();
      await aws.halt();
    },
  };
}
