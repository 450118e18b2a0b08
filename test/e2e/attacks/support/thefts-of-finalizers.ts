import { type Act, type Ask, patch, post, rehearsed } from './act.ts';
import { TENANT } from './certwheel-secrets.ts';

const CERTIFICATES = `/apis/certwheel.io/v1alpha1/namespaces/${TENANT}/clientcertificates`;
const CHANGES_MORE = /Certwheel changes nothing of a ClientCertificate but its finalizer/;
const OF_PEOPLE = 'example.com/hold';

/** The ClientCertificate that a person made before the thief comes. */
export const CERTIFICATES_OF_PEOPLE: readonly Ask[] = [
  post(CERTIFICATES, {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'ClientCertificate',
    metadata: { name: 'held', finalizers: [OF_PEOPLE] },
    spec: { authorityRef: { name: 'ca' }, secretName: 'held-tls', commonName: 'held' },
  }),
];

const change = (body: object) => patch(`${CERTIFICATES}/held`, body);

/** What the policy of ClientCertificates denies. */
export const THEFTS_OF_FINALIZERS: readonly Act[] = (
  [
    ['another identity for a ClientCertificate', { spec: { commonName: 'mallory' } }],
    ['another authority for a ClientCertificate', { spec: { authorityRef: { name: 'other' } } }],
    ['a renewal', { metadata: { annotations: { 'certwheel.io/renew-at': '2026-01-01T00:00:00Z' } } }],
    ['a revocation', { metadata: { annotations: { 'certwheel.io/revoke': '3fa9c1' } } }],
    ['a ClientCertificate that can not be deleted', { metadata: { finalizers: [OF_PEOPLE, 'example.com/mine'] } }],
    ['the finalizer of a person taken away', { metadata: { finalizers: [] } }],
  ] as const
).map(([what, body]) => ({
  what,
  right: 'patch clientcertificates.certwheel.io',
  ask: change(body),
  denied: CHANGES_MORE,
  legitimate: rehearsed(change({ metadata: { finalizers: [OF_PEOPLE, 'certwheel.io/revocation'] } })),
}));
