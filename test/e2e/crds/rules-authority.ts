/** What the CEL rules of both kinds of authority refuse. */

import { type Row, spec } from './rows.ts';
import { KEY_RULES } from './rules-private-key.ts';
import { AUTHORITY_TEXT_ROWS } from './rules-text.ts';
import { CLUSTER_TRUST_ROWS, NAMESPACED_TRUST_ROWS, trustTarget } from './rules-trust.ts';
import { SOURCE_ROWS } from './rules-trust-sources.ts';

type Short = Omit<Row, 'kind'>;

const BACKEND = 'exactly one backend must be set: secret, selfManaged, kubernetesCSR, certManager, vault or stepCA';
const CA_SYNTAX = 'must be a duration such as 87600h (10 years); there is no unit for days or years';
const LIMIT_SYNTAX = 'must be a duration such as 24h or 168h; there is no unit for days (7 days are 168h)';
const LIMIT_LEAST = 'must be at least 1m, the shortest life that can be asked for';
const NAMESPACES = 'exactly one of names, selector and all must be set';
const VALUES = 'In and NotIn need values; Exists and DoesNotExist take none';

const vaultWith = (auth: object) =>
  spec({ selfManaged: null, vault: { server: 'https://vault.example.com:8200', role: 'client', auth } });

const both: Short[] = [
  ...AUTHORITY_TEXT_ROWS,
  ...SOURCE_ROWS,
  {
    refuses: 'no backend',
    rule: 'spec',
    says: BACKEND,
    bad: spec({ selfManaged: null }),
    good: spec({ selfManaged: null, secret: { name: 'pair' } }),
  },
  { refuses: 'two backends', rule: 'spec', says: BACKEND, bad: spec({ secret: { name: 'pair' } }), good: {} },
  ...(['vault', 'stepCA'] as const).flatMap((backend): Short[] => {
    const rest =
      backend === 'vault'
        ? { role: 'client', auth: { tokenSecretRef: { name: 'token' } } }
        : {
            rootFingerprints: ['ab'.repeat(32)],
            provisioner: { name: 'certwheel', secretRef: { name: 'provisioner' } },
          };
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
    refuses: 'two logins to Vault',
    rule: 'spec.vault.auth',
    says: 'exactly one login must be set: kubernetes, appRole or tokenSecretRef',
    bad: vaultWith({ tokenSecretRef: { name: 'token' }, appRole: { roleId: 'r', secretRef: { name: 'approle' } } }),
    good: vaultWith({ tokenSecretRef: { name: 'token' } }),
  },
  {
    refuses: 'a CA life in years',
    rule: 'spec.selfManaged.duration',
    says: CA_SYNTAX,
    bad: spec({ selfManaged: { duration: '10y' } }),
    good: spec({ selfManaged: { duration: '876000h' } }),
    schemaToo: true,
  },
  {
    refuses: 'a CA life below an hour',
    rule: 'spec.selfManaged.duration',
    says: 'must be at least 1h',
    bad: spec({ selfManaged: { duration: '59m' } }),
    good: spec({ selfManaged: { duration: '60m' } }),
  },
  ...['876000h1s', '87649415h', `${'9'.repeat(31)}m`].flatMap((endless): Short[] => [
    {
      refuses: `a CA life of ${endless}`,
      rule: 'spec.selfManaged.duration',
      says: 'must be at most 876000h (100 years)',
      bad: spec({ selfManaged: { duration: endless } }),
      good: spec({ selfManaged: { duration: '876000h' } }),
    },
    {
      refuses: `a limit of ${endless}`,
      rule: 'spec.limits.maxDuration',
      says: 'must be at most 876000h (100 years)',
      bad: spec({ limits: { maxDuration: endless } }),
      good: spec({ limits: { maxDuration: '876000h' } }),
    },
  ]),
  {
    refuses: 'a limit in days',
    rule: 'spec.limits.maxDuration',
    says: LIMIT_SYNTAX,
    bad: spec({ limits: { maxDuration: '7d' } }),
    good: spec({ limits: { maxDuration: '168h' } }),
    schemaToo: true,
  },
  {
    refuses: 'a limit below a minute',
    rule: 'spec.limits.maxDuration',
    says: LIMIT_LEAST,
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
  ...(['kubernetesCSR', 'certManager', 'vault'] as const).map((backend): Short => {
    const rest = {
      kubernetesCSR: { signerName: 'example.com/clients' },
      certManager: { issuerRef: { name: 'ca' } },
      vault: { server: 'https://vault.example.com', role: 'client', auth: { tokenSecretRef: { name: 'token' } } },
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
  {
    refuses: 'a name of 51 characters',
    rule: '',
    says: 'the name of an authority can have at most 50 characters, since the names of its Secrets are made of it',
    bad: { metadata: { name: 'n'.repeat(51) } },
    good: { metadata: { name: 'n'.repeat(50) } },
  },
  ...KEY_RULES.map(
    ({ key, refuses, says, good }): Short => ({
      refuses,
      rule: 'spec.selfManaged.privateKey',
      says,
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
