import { type Act, type Ask, get, post, rehearsed, remove } from './act.ts';
import { OWNER, TENANT, UID } from './certwheel-secrets.ts';

const MAPS = `/api/v1/namespaces/${TENANT}/configmaps`;
const MARKS = {
  labels: { 'certwheel.io/csr-of': 'alice' },
  annotations: { 'certwheel.io/certificate-uid': UID },
};
const CSR = { 'request.csr': 'PEM' };
const NOT_MARKED = /nothing of this kind but trust bundles with its marks, CSRs, and CRLs/;
const NOT_PLAIN = /writes nothing beside the CSR into its ConfigMap/;

const map = (name: string, metadata: object, data: object = CSR): Ask =>
  post(MAPS, { metadata: { name, ...metadata }, data });
const own = map('alice-csr', { ...MARKS, ownerReferences: [OWNER] });

/** The ConfigMaps that people made before the thief comes. */
export const MAPS_OF_PEOPLE: readonly Ask[] = [map('settings', {}), map('settings-csr', {})];

/** What the policy of ConfigMaps denies. */
export const THEFTS_OF_CSR_MAPS: readonly Act[] = [
  ...(
    [
      ['a ConfigMap without marks', map('mine', {}), NOT_MARKED],
      ['a ConfigMap with one mark', map('alice-csr', { labels: MARKS.labels }), NOT_MARKED],
      ['a ConfigMap with marks of another name', map('settings-2', MARKS), NOT_MARKED],
      ['the CSR of a CA with the marks of a certificate', map('alice-request', MARKS), NOT_MARKED],
      ['other keys beside a CSR', map('alice-csr', MARKS, { ...CSR, 'nginx.conf': 'mine' }), NOT_PLAIN],
      ['a CSR that can not be deleted', map('alice-csr', { ...MARKS, finalizers: ['example.com/hold'] }), NOT_PLAIN],
      [
        'a CSR that garbage collection deletes with another object',
        map('alice-csr', { ...MARKS, ownerReferences: [{ ...OWNER, kind: 'Pod', apiVersion: 'v1' }] }),
        NOT_PLAIN,
      ],
    ] as const
  ).map(([what, ask, denied]) => ({ what, right: 'create configmaps', ask, denied, legitimate: rehearsed(own) })),
  ...['settings', 'settings-csr'].map((name) => ({
    what: `the ConfigMap ${name} of a person deleted`,
    right: 'delete configmaps',
    ask: remove(`${MAPS}/${name}`),
    denied: NOT_MARKED,
    legitimate: remove(`${MAPS}/alice-csr`),
  })),
];

/** What is left to the thief. */
export const POSSIBLE_WITH_CSR_MAPS: readonly Act[] = [
  { what: 'a ConfigMap read', right: 'get configmaps', ask: get(`${MAPS}/settings`) },
];
