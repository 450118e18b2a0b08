/** What the CEL rules of both kinds of authority refuse of logins to Vault, and of provisioners of step-ca. */

import type { Json } from './api.ts';
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

const vaultWith = (auth: Json) =>
  spec({ selfManaged: null, vault: { server: 'https://vault.example.com:8200', role: 'client', auth } });
const stepWith = (provisioner: Json) => {
  const rest = { server: 'https://ca.example.com', rootFingerprints: ['ab'.repeat(32)] };
  return spec({ selfManaged: null, stepCA: { ...rest, provisioner: { name: 'certwheel', ...provisioner } } });
};

const secretRef = { name: 'login' };
const approle = { roleId: 'r', secretRef };
const ROLE_ARN = 'arn:aws:iam::111122223333:role/certwheel';
const aws = (more: Record<string, unknown>) =>
  vaultWith({ aws: { role: 'certwheel', credentials: { secretRef }, ...more } });
const jwt = (more: Record<string, unknown>) => vaultWith({ jwt: { role: 'certwheel', ...more } });

const ONE_LOGIN = 'exactly one login must be set: kubernetes, appRole, jwt, cert, aws or tokenSecretRef';
const ONE_CREDENTIAL = 'exactly one credential must be set: secretRef (JWK), x5c or k8sSA';

export const LOGIN_ROWS: readonly Short[] = [
  {
    refuses: 'two logins to Vault',
    rule: 'spec.vault.auth',
    says: ONE_LOGIN,
    bad: vaultWith({ tokenSecretRef: { name: 'token' }, appRole: approle }),
    good: vaultWith({ tokenSecretRef: { name: 'token' } }),
  },
  ...(
    [
      { jwt: { role: 'r', secretRef } },
      { cert: { secretRef } },
      { aws: { role: 'r', credentials: { secretRef } } },
    ] as const
  ).map(
    (login): Short => ({
      refuses: `a login to Vault by ${Object.keys(login)} and AppRole`,
      rule: 'spec.vault.auth',
      says: ONE_LOGIN,
      bad: vaultWith({ ...login, appRole: approle }),
      good: vaultWith(login),
    }),
  ),
  ...[{}, { secretRef, serviceAccountRef: { name: 'login' } }].map(
    (wrong): Short => ({
      refuses: `a JWT of ${Object.keys(wrong).join(' and ') || 'nobody'}`,
      rule: 'spec.vault.auth.jwt',
      says: 'exactly one of serviceAccountRef and secretRef must be set',
      bad: jwt(wrong),
      good: jwt({ serviceAccountRef: { name: 'login' } }),
    }),
  ),
  {
    refuses: 'two kinds of credentials of AWS for Vault',
    rule: 'spec.vault.auth.aws.credentials',
    says: 'exactly one of secretRef, serviceAccountRef and ambient must be set',
    bad: aws({ credentials: { secretRef, ambient: {} } }),
    good: aws({ credentials: { ambient: {} } }),
  },
  {
    refuses: 'an external id without a role to assume, for Vault',
    rule: 'spec.vault.auth.aws',
    says: 'externalId is for assumeRoleArn, which is not set',
    bad: aws({ externalId: 'certwheel' }),
    good: aws({ externalId: 'certwheel', assumeRoleArn: ROLE_ARN }),
  },
  {
    refuses: 'the host a..b as stsEndpoint of Vault',
    rule: 'spec.vault.auth.aws.stsEndpoint',
    says: 'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
    bad: aws({ stsEndpoint: 'https://a..b' }),
    good: aws({ stsEndpoint: 'https://[2001:db8::7]:8200/' }),
  },
  {
    refuses: 'the port 65536 as stsEndpoint of Vault',
    rule: 'spec.vault.auth.aws.stsEndpoint',
    says: 'the port must be from 1 to 65535',
    bad: aws({ stsEndpoint: 'https://a:65536' }),
    good: aws({ stsEndpoint: 'https://a:65535' }),
  },
  ...[{}, { secretRef, x5c: { secretRef } }, { x5c: { secretRef }, k8sSA: { secretRef } }].map(
    (wrong): Short => ({
      refuses: `a provisioner of step-ca with ${Object.keys(wrong).join(' and ') || 'no credential'}`,
      rule: 'spec.stepCA.provisioner',
      says: ONE_CREDENTIAL,
      bad: stepWith(wrong),
      good: stepWith({ x5c: { secretRef } }),
    }),
  ),
];
