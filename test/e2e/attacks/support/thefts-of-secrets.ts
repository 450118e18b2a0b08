import { type Act, type Ask, patch, post, remove } from './act.ts';
import {
  CLUSTER,
  CONTROLLER,
  certificate,
  DANGLING,
  FOREIGN,
  generation,
  HELD,
  nextKey,
  OWNER,
  pathOf,
  type Secret,
  tls,
  UID,
} from './certwheel-secrets.ts';

const NO_MARKS = /A Secret that Certwheel creates carries its marks/;
const NOT_OURS = /This Secret is not Certwheel's/;
const ONLY_TLS = /Secrets of type kubernetes.io\/tls only/;
const NO_OWNER = /The only owner that Certwheel gives to a Secret/;
const NO_FINALIZER = /Certwheel sets and removes no finalizers/;
const NO_GENERATION = /A CA generation is created without a key; when the key comes in, it says its state/;
const IMMUTABLE = /makes Secrets of CA generations immutable, and no others/;
const NO_DELETE = /Certwheel deletes nothing but Secrets of CA generations/;

export const create = (secret: Secret) => post(pathOf('', secret.metadata.namespace), secret);
export const edit = (name: string, metadata: object, namespace?: string) =>
  patch(pathOf(name, namespace), { metadata });
export const overwrite = (name: string) => patch(pathOf(name), { data: { 'tls.crt': 'AA==' } });
export const removeSecret = (name: string) => remove(pathOf(name));
export const marks = (uid: string) => ({
  labels: { 'certwheel.io/certificate-name': 'alice' },
  annotations: { 'certwheel.io/certificate-uid': uid },
});

const TOKEN = {
  ...certificate('a3', { annotations: { 'kubernetes.io/service-account.name': 'certwheel' } }),
  type: 'kubernetes.io/service-account-token',
};

const creating = (what: string, secret: Secret, denied: RegExp, legitimate: Secret): Act => ({
  what,
  right: 'create secrets',
  ask: create(secret),
  denied,
  legitimate: create(legitimate),
});
const editing = (what: string, ask: Ask, denied: RegExp, legitimate: Ask): Act => ({
  what,
  right: 'patch secrets',
  ask,
  denied,
  legitimate,
});

/** What the admission policy of the chart denies. */
export const DENIED_THEFTS: readonly Act[] = [
  creating('a Secret without marks', tls({ name: 'a1' }), NO_MARKS, certificate('a1')),
  creating(
    'a Secret with two kinds of marks',
    generation('a2-ca-v1', 'a2', marks(UID)),
    NO_MARKS,
    generation('a2-ca-v1', 'a2'),
  ),
  creating('a token of another ServiceAccount', TOKEN, ONLY_TLS, certificate('a3')),
  creating(
    'a Secret that is collected at once',
    certificate('a4', { ownerReferences: [{ ...OWNER, uid: DANGLING }] }),
    NO_OWNER,
    certificate('a4', { ownerReferences: [OWNER] }),
  ),
  creating(
    'a Secret that can not be deleted',
    certificate('a5', { finalizers: HELD }),
    NO_FINALIZER,
    certificate('a5'),
  ),
  creating(
    'a kept key with an owner of its own choice',
    nextKey('a6', { ownerReferences: [OWNER] }),
    NO_OWNER,
    nextKey('a6', { ownerReferences: [{ ...OWNER, name: 'a6' }] }),
  ),
  creating(
    'a CA generation with an owner',
    generation('a7-ca-v1', 'a7', { ownerReferences: [OWNER] }),
    NO_OWNER,
    generation('a7-ca-v1', 'a7'),
  ),
  creating(
    'a CA generation with a key before its uid is known',
    { ...generation('a8-ca-v1', 'a8'), data: { 'tls.crt': 'AA==', 'tls.key': 'AA==' } },
    NO_GENERATION,
    generation('a8-ca-v1', 'a8'),
  ),
  creating(
    'a CA generation that can not be filled',
    { ...generation('b3-ca-v1', 'b3'), immutable: true },
    IMMUTABLE,
    generation('b3-ca-v1', 'b3'),
  ),
  creating(
    'a CA generation under a name of another authority',
    generation('a9-ca-v1', 'a'),
    NO_MARKS,
    generation('a9-ca-v1', 'a9'),
  ),
  creating(
    'a CA generation with two versions',
    generation('b1-ca-v1-ca-v2', 'b1'),
    NO_MARKS,
    generation('b1-ca-v2', 'b1'),
  ),
  creating(
    'a CA generation of the cluster in the namespace of a tenant',
    generation('b2-clusterca-v1', 'b2', CLUSTER),
    NO_MARKS,
    generation('b2-clusterca-v1', 'b2', { ...CLUSTER, namespace: CONTROLLER }),
  ),

  editing('a certificate over the one of a tenant', overwrite('tenants-tls'), NOT_OURS, overwrite('plain-tls')),
  editing('marks on the Secret of a tenant', edit('tenants-tls', marks(UID)), NOT_OURS, edit('handed-tls', marks(UID))),
  editing(
    'another uid on a Secret of a certificate',
    edit('plain-tls', marks(DANGLING)),
    NOT_OURS,
    edit('plain-tls', marks(UID)),
  ),
  editing(
    'marks of a CA generation on a Secret of a certificate',
    edit('plain-tls', { labels: { 'certwheel.io/authority-name': 'ca' } }),
    NOT_OURS,
    edit('plain-tls', { labels: { team: 'a' } }),
  ),
  editing(
    'another kind of authority on a CA generation',
    edit(
      'cluster-everywhere-ca-v1',
      {
        labels: {
          'certwheel.io/authority-kind': 'CertificateAuthority',
          'certwheel.io/authority-name': 'cluster-everywhere',
        },
      },
      CONTROLLER,
    ),
    NOT_OURS,
    edit('cluster-everywhere-ca-v1', { annotations: { 'certwheel.io/generation-state': 'Retiring' } }, CONTROLLER),
  ),
  ...['state', 'source', 'uids', 'namespace'].map((field) =>
    editing(
      `a CA generation without its ${field}`,
      edit('ca-ca-v1', { annotations: { [`certwheel.io/generation-${field}`]: null } }),
      NO_GENERATION,
      edit('ca-ca-v1', { annotations: { 'certwheel.io/generation-state': 'Retiring' } }),
    ),
  ),
  editing(
    'a CA generation with the uid of another Secret',
    edit('ca-ca-v1', { annotations: { 'certwheel.io/generation-uids': UID } }),
    NO_GENERATION,
    edit('ca-ca-v1', { annotations: { 'certwheel.io/generation-state': 'Active' } }),
  ),
  editing(
    'a dangling owner',
    edit('plain-tls', { ownerReferences: [{ ...OWNER, uid: DANGLING }] }),
    NO_OWNER,
    edit('plain-tls', { ownerReferences: [OWNER] }),
  ),
  editing(
    'a dangling owner with another uid in the marks',
    edit('plain-tls', { ...marks(DANGLING), ownerReferences: [{ ...OWNER, uid: DANGLING }] }),
    NOT_OURS,
    edit('plain-tls', { ...marks(UID), ownerReferences: [OWNER] }),
  ),
  editing(
    'an owner of another kind',
    edit('owned-tls', { ownerReferences: [OWNER, { ...FOREIGN, uid: DANGLING }] }),
    NO_OWNER,
    edit('owned-tls', { ownerReferences: [{ ...OWNER, controller: true }] }),
  ),
  editing(
    'an owner that waits for its Secrets',
    edit('owned-tls', { ownerReferences: [{ ...OWNER, blockOwnerDeletion: true }] }),
    NO_OWNER,
    edit('owned-tls', { ownerReferences: [{ ...OWNER, blockOwnerDeletion: false }] }),
  ),
  editing(
    'an owner of another program under another name',
    edit('shared-tls', { ownerReferences: [{ ...FOREIGN, name: 'gone' }] }),
    NO_OWNER,
    edit('shared-tls', { ownerReferences: [FOREIGN] }),
  ),
  editing(
    'an owner of another program taken away',
    edit('shared-tls', { ownerReferences: [] }),
    NO_OWNER,
    edit('owned-tls', { ownerReferences: [] }),
  ),
  editing(
    'an owner of a CA generation',
    edit('ca-ca-v1', { ownerReferences: [{ ...OWNER, name: 'ca' }] }),
    NO_OWNER,
    edit('ca-ca-v1', { labels: { team: 'a' } }),
  ),
  editing(
    'a certificate that can not be renewed any more',
    patch(pathOf('plain-tls'), { immutable: true }),
    IMMUTABLE,
    patch(pathOf('plain-tls'), { immutable: false }),
  ),
  editing(
    'a finalizer',
    edit('plain-tls', { finalizers: HELD }),
    NO_FINALIZER,
    edit('plain-tls', { labels: { team: 'b' } }),
  ),
  editing(
    'a finalizer of another program taken away',
    edit('held-tls', { finalizers: [] }),
    NO_FINALIZER,
    edit('held-tls', { labels: { team: 'b' } }),
  ),

  {
    what: 'the Secret of a tenant deleted',
    right: 'delete secrets',
    ask: removeSecret('tenants-tls'),
    denied: NO_DELETE,
    legitimate: removeSecret('ca-ca-v2'),
  },
  {
    what: 'the Secret of a certificate deleted',
    right: 'delete secrets',
    ask: removeSecret('plain-tls'),
    denied: NO_DELETE,
    legitimate: removeSecret('a6-next'),
  },
];
