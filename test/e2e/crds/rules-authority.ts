/** What the CEL rules of both kinds of authority refuse. */

import { type Row, spec } from './rows.ts';
import { ACME_SOLVER_ROWS } from './rules-acme-solvers.ts';
import { LOGIN_ROWS } from './rules-logins.ts';
import { PKCS11_ROWS } from './rules-pkcs11.ts';
import { KEY_RULES, KEY_SIZE } from './rules-private-key.ts';
import { AUTHORITY_TEXT_ROWS } from './rules-text.ts';
import { CLUSTER_TRUST_ROWS, NAMESPACED_TRUST_ROWS, trustTarget } from './rules-trust.ts';
import { SOURCE_ROWS } from './rules-trust-sources.ts';

type Short = Omit<Row, 'kind'>;

const BACKEND =
  'exactly one backend must be set: secret, selfManaged, kubernetesCSR, certManager, vault, stepCA, awsPrivateCA, cloudflare, acme, googleCAS, external or pkcs11';
const CA_LIFE =
  'must be a duration such as 87600h (10 years), from 1h to 876000h (100 years); there is no unit for days or years';
const LIMIT =
  'must be a duration such as 24h or 168h, from 1m (the shortest life that can be asked for) to 876000h (100 years); there is no unit for days (7 days are 168h)';
const NAMESPACES = 'exactly one of names, selector and all must be set';
const VALUES = 'In and NotIn need values; Exists and DoesNotExist take none';

const googleWith = (more: object) => {
  const pool = { project: 'example', location: 'europe-west3', caPool: 'clients' };
  return spec({ selfManaged: null, googleCAS: { ...pool, auth: { secretRef: { name: 'key' } }, ...more } });
};
const CLOUDFLARE = {
  zone: '0'.repeat(32),
  apiTokenSecretRef: { name: 'token' },
  trustBundle: { inline: 'PEM' },
};

const TEMPLATE = 'arn:aws:acm-pca:::template/EndEntityClientAuthCertificate/V1';
const awsWith = (more: object) =>
  spec({
    selfManaged: null,
    awsPrivateCA: {
      arn: 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1',
      auth: { secretRef: { name: 'key' } },
      ...more,
    },
  });

const both: Short[] = [
  ...AUTHORITY_TEXT_ROWS,
  ...ACME_SOLVER_ROWS,
  ...SOURCE_ROWS,
  {
    refuses: 'no backend',
    rule: 'spec',
    says: BACKEND,
    bad: spec({ selfManaged: null }),
    good: spec({ selfManaged: null, secret: { name: 'pair' } }),
  },
  { refuses: 'two backends', rule: 'spec', says: BACKEND, bad: spec({ secret: { name: 'pair' } }), good: {} },
  ...(['vault', 'stepCA', 'cloudflare', 'acme'] as const).flatMap((backend): Short[] => {
    const rest = {
      vault: { role: 'client', auth: { tokenSecretRef: { name: 'token' } } },
      stepCA: {
        rootFingerprints: ['ab'.repeat(32)],
        provisioner: { name: 'certwheel', secretRef: { name: 'provisioner' } },
      },
      cloudflare: CLOUDFLARE,
      acme: { trustBundle: { inline: 'PEM' } },
    }[backend];
    const at = (server: string) => spec({ selfManaged: null, [backend]: { ...rest, server } });
    const rows = (says: string, bad: readonly string[], good: string) =>
      bad.map((server) => ({
        refuses: `the address ${server.slice(0, 40)} of ${backend}`,
        rule: `spec.${backend}.server`,
        says,
        bad: at(server),
        good: at(good),
      }));
    return [
      ...rows(
        'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
        ['https://a..b', 'https://a.-b:443', `https://${'a'.repeat(64)}/`, 'https://[:::]:443'],
        'https://[2001:db8::7]:8200/',
      ),
      ...rows(
        'the port must be from 1 to 65535',
        ['https://a:0', 'https://a:65536/', 'https://[::1]:99999'],
        'https://a:65535',
      ),
    ];
  }),
  {
    refuses: 'two logins to Google',
    rule: 'spec.googleCAS.auth',
    says: 'exactly one login must be set: secretRef, workloadIdentity or ambient',
    bad: googleWith({ auth: { secretRef: { name: 'key' }, ambient: {} } }),
    good: googleWith({ auth: { ambient: {} } }),
  },
  {
    refuses: 'the host a..b as endpoint of Google',
    rule: 'spec.googleCAS.endpoint',
    says: 'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
    bad: googleWith({ endpoint: 'https://a..b' }),
    good: googleWith({ endpoint: 'https://[2001:db8::7]:8200/' }),
  },
  {
    refuses: 'the port 65536 as endpoint of Google',
    rule: 'spec.googleCAS.endpoint',
    says: 'the port must be from 1 to 65535',
    bad: googleWith({ endpoint: 'https://a:65536' }),
    good: googleWith({ endpoint: 'https://a:65535' }),
  },
  {
    refuses: 'an external id without a role to assume',
    rule: 'spec.awsPrivateCA',
    says: 'externalId is for assumeRoleArn, which is not set',
    bad: awsWith({ externalId: 'certwheel' }),
    good: awsWith({ externalId: 'certwheel', assumeRoleArn: 'arn:aws:iam::111122223333:role/ca' }),
  },
  {
    refuses: 'a template of another partition',
    rule: 'spec.awsPrivateCA',
    says: 'templateArn must be of the partition of arn, as in arn:aws:…',
    bad: awsWith({ templateArn: TEMPLATE.replace('aws', 'aws-cn') }),
    good: awsWith({ templateArn: TEMPLATE }),
  },
  {
    refuses: 'two kinds of credentials of AWS',
    rule: 'spec.awsPrivateCA.auth',
    says: 'exactly one of secretRef, serviceAccountRef and ambient must be set',
    bad: awsWith({ auth: { secretRef: { name: 'key' }, ambient: {} } }),
    good: awsWith({}),
  },
  ...(['endpoint', 'stsEndpoint'] as const).flatMap((field): Short[] => [
    {
      refuses: `the host a..b as ${field} of AWS`,
      rule: `spec.awsPrivateCA.${field}`,
      says: 'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]',
      bad: awsWith({ [field]: 'https://a..b' }),
      good: awsWith({ [field]: 'https://[2001:db8::7]:8200/' }),
    },
    {
      refuses: `the port 65536 as ${field} of AWS`,
      rule: `spec.awsPrivateCA.${field}`,
      says: 'the port must be from 1 to 65535',
      bad: awsWith({ [field]: 'https://a:65536' }),
      good: awsWith({ [field]: 'https://a:65535' }),
    },
  ]),
  ...LOGIN_ROWS,
  ...(
    [
      ['5 minutes', true],
      ['24h1s', false],
    ] as const
  ).map(([revokeAfter, schemaToo]): Short => {
    const revoking = (after: string) => spec({ selfManaged: null, cloudflare: { ...CLOUDFLARE, revokeAfter: after } });
    const rule = 'spec.cloudflare.revokeAfter';
    return {
      refuses: `a revokeAfter of ${revokeAfter}`,
      rule,
      says: 'must be a duration such as 30s or 5m, at most 24h',
      bad: revoking(revokeAfter),
      good: revoking('24h'),
      ...(schemaToo && { schemaToo }),
    };
  }),
  {
    refuses: 'a CA life in years',
    rule: 'spec.selfManaged.duration',
    says: CA_LIFE,
    bad: spec({ selfManaged: { duration: '10y' } }),
    good: spec({ selfManaged: { duration: '876000h' } }),
    schemaToo: true,
  },
  {
    refuses: 'a CA life below an hour',
    rule: 'spec.selfManaged.duration',
    says: CA_LIFE,
    bad: spec({ selfManaged: { duration: '59m' } }),
    good: spec({ selfManaged: { duration: '60m' } }),
  },
  ...['876000h1s', '87649415h', `${'9'.repeat(31)}m`].flatMap((endless): Short[] => [
    {
      refuses: `a CA life of ${endless}`,
      rule: 'spec.selfManaged.duration',
      says: CA_LIFE,
      bad: spec({ selfManaged: { duration: endless } }),
      good: spec({ selfManaged: { duration: '876000h' } }),
    },
    {
      refuses: `a limit of ${endless}`,
      rule: 'spec.limits.maxDuration',
      says: LIMIT,
      bad: spec({ limits: { maxDuration: endless } }),
      good: spec({ limits: { maxDuration: '876000h' } }),
    },
  ]),
  {
    refuses: 'a limit in days',
    rule: 'spec.limits.maxDuration',
    says: LIMIT,
    bad: spec({ limits: { maxDuration: '7d' } }),
    good: spec({ limits: { maxDuration: '168h' } }),
    schemaToo: true,
  },
  {
    refuses: 'a limit below a minute',
    rule: 'spec.limits.maxDuration',
    says: LIMIT,
    bad: spec({ limits: { maxDuration: '30s' } }),
    good: spec({ limits: { maxDuration: '1m' } }),
  },
  {
    refuses: 'a limit without client auth',
    rule: 'spec.limits.usages',
    says: "must contain 'client auth', since every ClientCertificate asks for it",
    bad: spec({ limits: { usages: ['digital signature'] } }),
    good: spec({ limits: { usages: ['client auth'] } }),
  },
  ...(['kubernetesCSR', 'certManager', 'vault', 'cloudflare', 'acme', 'external'] as const).map((backend): Short => {
    const rest = {
      kubernetesCSR: { signerName: 'example.com/clients' },
      certManager: { issuerRef: { name: 'ca' } },
      vault: { server: 'https://vault.example.com', role: 'client', auth: { tokenSecretRef: { name: 'token' } } },
      cloudflare: { zone: '0'.repeat(32), apiTokenSecretRef: { name: 'token' } },
      acme: { server: 'https://ca.example.com/directory' },
      external: {},
    }[backend];
    const trusting = (trustBundle: object) => spec({ selfManaged: null, [backend]: { ...rest, trustBundle } });
    return {
      refuses: `two trust bundles of ${backend}`,
      rule: `spec.${backend}.trustBundle`,
      says: 'exactly one of configMap, secret and inline must be set',
      bad: trusting({ inline: 'PEM', secret: { name: 'ca' } }),
      good: trusting({ configMap: { name: 'ca' } }),
    };
  }),
  ...PKCS11_ROWS,
  {
    refuses: 'two trust bundles of an external root',
    rule: 'spec.selfManaged.externalRoot.trustBundle',
    says: 'exactly one of configMap, secret and inline must be set',
    bad: spec({ selfManaged: { externalRoot: { trustBundle: { inline: 'PEM', secret: { name: 'ca' } } } } }),
    good: spec({ selfManaged: { externalRoot: { trustBundle: { inline: 'PEM' } } } }),
  },
  {
    refuses: 'itself as the fallback',
    rule: '',
    says: "an authority can't be its own fallback",
    bad: spec({ fallback: { name: 'sample' } }),
    good: spec({ fallback: { name: 'sample-2' } }),
  },
  {
    refuses: 'a name of 51 characters',
    rule: '',
    says: 'the name of an authority can have at most 50 characters, since the names of its Secrets are made of it',
    bad: { metadata: { name: 'n'.repeat(51) } },
    good: { metadata: { name: 'n'.repeat(50) } },
  },
  ...KEY_RULES.map(
    ({ key, refuses, good }): Short => ({
      refuses,
      rule: 'spec.selfManaged.privateKey',
      says: KEY_SIZE,
      bad: spec({ selfManaged: { privateKey: key } }),
      good: spec({ selfManaged: { privateKey: good } }),
    }),
  ),
];

const asking = (approve: boolean) => {
  const kubernetesCSR = { signerName: 'example.com/clients', approve, trustBundle: { inline: 'PEM' } };
  return spec({ selfManaged: null, kubernetesCSR });
};
const namespacedOnly: Short[] = [
  {
    refuses: 'to approve for a signer of the cluster',
    rule: 'spec.kubernetesCSR.approve',
    says: 'true is for a ClusterCertificateAuthority, which a cluster administrator writes; use one that allows this namespace, or leave approve out',
    bad: asking(true),
    good: asking(false),
  },
];

const EMPTY = 'an empty selector would mean every namespace; if that is meant, set all: true instead';

/** Of namespaces that are chosen by names, by labels, or all of them; `allowed` puts them where they belong. */
function namespaceRows(path: string, allowed: (namespaces: object) => Row['bad']): Short[] {
  const expression = (operator: string, values?: string[]) =>
    allowed({
      selector: { matchExpressions: [{ key: 'stage', operator, ...(values === undefined ? {} : { values }) }] },
    });
  return [
    {
      refuses: `namespaces allowed in no way in ${path}`,
      rule: path,
      says: NAMESPACES,
      bad: allowed({}),
      good: allowed({ names: ['payments'] }),
    },
    {
      refuses: `namespaces allowed in two ways in ${path}`,
      rule: path,
      says: NAMESPACES,
      bad: allowed({ names: ['payments'], all: true }),
      good: allowed({ all: true }),
    },
    {
      refuses: `an empty selector in ${path}`,
      rule: `${path}.selector`,
      says: EMPTY,
      bad: allowed({ selector: {} }),
      good: allowed({ selector: { matchLabels: { team: 'payments' } } }),
    },
    {
      refuses: `a selector of empty parts in ${path}`,
      rule: `${path}.selector`,
      says: EMPTY,
      bad: allowed({ selector: { matchLabels: {}, matchExpressions: [] } }),
      good: expression('Exists'),
    },
    ...['a..b/c', '.a/b', '', `${'p'.repeat(254)}/a`].map(
      (key): Short => ({
        refuses: `the label key '${key.slice(0, 20)}' in ${path}.selector.matchLabels`,
        rule: `${path}.selector.matchLabels`,
        says: 'a key must be a Kubernetes label key, as in team or example.com/team',
        bad: allowed({ selector: { matchLabels: { [key]: 'x' } } }),
        good: allowed({ selector: { matchLabels: { [`${'p'.repeat(253)}/a`]: 'x' } } }),
      }),
    ),
    {
      refuses: `In without values in ${path}`,
      rule: `${path}.selector.matchExpressions[]`,
      says: VALUES,
      bad: expression('In'),
      good: expression('In', ['production']),
    },
    {
      refuses: `NotIn with no values in ${path}`,
      rule: `${path}.selector.matchExpressions[]`,
      says: VALUES,
      bad: expression('NotIn', []),
      good: expression('NotIn', ['sandbox']),
    },
    {
      refuses: `Exists with values in ${path}`,
      rule: `${path}.selector.matchExpressions[]`,
      says: VALUES,
      bad: expression('Exists', ['production']),
      good: expression('DoesNotExist'),
    },
  ];
}

const rule = (fields: object) => spec({ issuancePolicy: { rules: [{ name: 'one', ...fields }] } });
const RULES = 'spec.issuancePolicy.rules[]';

const clusterOnly: Short[] = [
  ...CLUSTER_TRUST_ROWS,
  ...namespaceRows('spec.trust.targets[].namespaces', (namespaces) =>
    trustTarget({ configMap: { name: 'client-ca' }, namespaces }),
  ),
  ...namespaceRows('spec.allowedNamespaces', (allowedNamespaces) => spec({ allowedNamespaces })),
  ...namespaceRows(`${RULES}.namespaces`, (namespaces) =>
    rule({ namespaces, subject: { organizations: ['Example'] } }),
  ),
];

export const AUTHORITY_ROWS: Row[] = [
  ...[...both, ...namespacedOnly, ...NAMESPACED_TRUST_ROWS].map(
    (row): Row => ({ ...row, kind: 'CertificateAuthority' }),
  ),
  ...[...both, ...clusterOnly].map((row): Row => ({ ...row, kind: 'ClusterCertificateAuthority' })),
];
