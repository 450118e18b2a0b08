import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../test/pki/make.ts';
import { type AuthorityFields, aCertificate, after, anAuthority, anObserved, HOUR } from '../../test/unit/builders.ts';
import { cachesOf } from '../../test/unit/caches.ts';
import { aClientsOwn } from '../../test/unit/client-requests.ts';
import { type Decision, requestDigest } from '../api/certificate-approval.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { RawObject } from '../api/parse.ts';
import { OWN_CA_CAPABILITIES } from '../backends/shared/own-ca.ts';
import { RetryableError } from '../errors.ts';
import { CSR_LABEL, makeCsr } from '../pki/csr.ts';
import { generateKey, publicKeyDer, publicKeyPin } from '../pki/keys.ts';
import { toPem } from '../pki/pem.ts';
import { requestOf } from './client-request.ts';
import { type Decisive, type ObserveDeps, observe } from './observe.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';
import type { SecretView } from './secret/view.ts';
import { assertServed } from './served.ts';

const kind = 'ClusterCertificateAuthority';
const resource = aCertificate({ authorityRef: { kind, name: 'ca' }, subject: { organizations: ['ops'] } }).build();
const bySelector = { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tenant'] }] } };

interface Scene {
  readonly allowedNamespaces?: object;
  readonly rules?: readonly object[];
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** How many ClientCertificates go before it under its rule. */
  readonly ahead?: number;
  /** The view of the authority from its last reconcile. */
  readonly view?: AuthorityFields;
}

const rule = (namespaces: object, organizations = ['ops']) => ({
  name: 'ops',
  namespaces,
  commonNames: ['*'],
  subject: { organizations },
});

/** Caches that hold an authority with these rules and a namespace with these labels. */
function given({ allowedNamespaces = { all: true }, rules = [], labels, ahead = 0, view }: Scene): ObserveDeps {
  const spec = { secret: { name: 'pair' }, allowedNamespaces, issuancePolicy: { rules } };
  const authority = parseCertificateAuthority(kind, { metadata: { name: 'ca' }, spec: structuredClone(spec) });
  return {
    ...cachesOf(resource),
    authority: () => authority,
    authorityView: () => anAuthority(view),
    places: { ahead: () => ahead },
    requestRead: () => {},
    namespaceLabels: () => labels,
  };
}

const allowed = { rules: [rule({ all: true })] };

const permitted = async (scene: Scene) => (await observe(resource, given(scene))).permission.is;

test('the rules of the stored authority that serve the namespace decide', async () => {
  const [here, elsewhere, byLabels] = [rule({ names: ['team'] }), rule({ names: ['other'] }), rule(bySelector)];
  assert.is(await permitted({ rules: [elsewhere, here] }), 'allowed');
  assert.is(await permitted({ rules: [elsewhere] }), 'denied');
  assert.is(await permitted({ rules: [byLabels], labels: { tier: 'platform' } }), 'allowed');
  assert.is(await permitted({ rules: [byLabels], labels: { tier: 'tenant' } }), 'denied');
});

test('while the labels of the namespace are not known, a rule that goes by them neither allows nor denies', async () => {
  assert.is(await permitted({ rules: [rule(bySelector)] }), 'pending');
});

test('an authority that is not there permits nothing', async () => {
  const seen = await observe(resource, { ...given({}), authority: () => undefined });
  assert.equal([seen.authority, seen.permission.is], ['AuthorityNotFound', 'pending']);
});

const CHANGES: Readonly<Record<string, readonly [scene: Scene, code: string | undefined]>> = {
  'a rule still allows it': [{ rules: [rule({ all: true })] }, undefined],
  'the rule is gone': [{ rules: [] }, 'DeniedByPolicy'],
  'the rule lists another organization': [{ rules: [rule({ all: true }, ['dev'])] }, 'DeniedByPolicy'],
  'the rule is for another namespace': [{ rules: [rule({ names: ['other'] })] }, 'DeniedByPolicy'],
  'the namespace has lost its label': [{ rules: [rule(bySelector)], labels: { tier: 'tenant' } }, 'DeniedByPolicy'],
  'the labels are not known any more': [{ rules: [rule(bySelector)] }, 'AuthorityNotReady'],
  'it has one of two places': [{ rules: [{ ...rule({ all: true }), maxCertificates: 2 }], ahead: 1 }, undefined],
  'two others have both places': [
    { rules: [{ ...rule({ all: true }), maxCertificates: 2 }], ahead: 2 },
    'TooManyCertificates',
  ],
  'the namespace is not served any more': [{ allowedNamespaces: { names: ['other'] } }, 'NamespaceNotAllowed'],
  'limits still allow it': [{ ...allowed, view: { limits: { maxDurationMs: 24 * HOUR } } }, undefined],
  'limits allow no such duration any more': [
    { ...allowed, view: { limits: { maxDurationMs: 23 * HOUR } } },
    'LimitExceeded',
  ],
  'limits allow no such key any more': [
    { ...allowed, view: { limits: { keyAlgorithms: ['Ed25519'] } } },
    'LimitExceeded',
  ],
  'limits allow no such usage any more': [
    { ...allowed, view: { limits: { usages: ['digital signature'] } } },
    'LimitExceeded',
  ],
  'the authority is of a kind that can not issue it any more': [
    { ...allowed, view: { capabilities: { ...OWN_CA_CAPABILITIES, keyAlgorithms: ['RSA'] } } },
    'UnsupportedByAuthority',
  ],
};

/** The code of the error with which asking again ends. */
const refusal = (asking: ClientCertificate, made: UnpublishedCertificate | undefined, caches: ObserveDeps) =>
  assertServed(asking, made, NOW, caches).then(
    () => undefined,
    (error: unknown) => (error instanceof RetryableError ? error.code : error),
  );

for (const [sentence, [scene, code]] of Object.entries(CHANGES))
  test(`asked again before it is signed or published: ${sentence}`, async () => {
    assert.is(await refusal(resource, undefined, given(scene)), code);
  });

for (const [what, current] of [
  ['was deleted', undefined],
  ['is being deleted', { ...resource, deleting: ['example.com/hold'] }],
  ['was created anew', { ...resource, uid: 'another' }],
] as const)
  test(`nothing is signed or published for a resource that ${what} meanwhile`, async () => {
    assert.is(await refusal(resource, undefined, { ...given(allowed), certificate: () => current }), 'Conflict');
  });

test('asked again before it is signed or published: the authority has lost allowSystemIdentities', async () => {
  const system = aCertificate({ authorityRef: { kind, name: 'ca' }, commonName: 'system:node:a' }).build();
  const rules = [{ ...rule({ all: true }), commonNames: ['system:node:a'] }];
  const ask = (allowSystemIdentities: boolean) =>
    refusal(system, undefined, given({ rules, view: { limits: { allowSystemIdentities } } }));
  assert.is(await ask(true), undefined);
  assert.is(await ask(false), 'SystemIdentityDenied');
});

test('an answer that was rounded up to a limit of before is not published under the limit of now', async () => {
  const ca = await root();
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const { certificate } = await leaf(ca, { notAfter: after(48 * HOUR), key });
  const made = { issued: { chain: [certificate] }, key, issuedAt: NOW };
  const capabilities = { ...OWN_CA_CAPABILITIES, lifetime: 'rounded' as const };
  const ask = (hours: number) =>
    refusal(resource, made, given({ ...allowed, view: { capabilities, limits: { maxDurationMs: hours * HOUR } } }));
  assert.is(await ask(48), undefined);
  assert.is(await ask(36), 'InvalidAnswer');
});

test('the rule that permits it is named for the audit line, where one is needed', async () => {
  assert.is(await assertServed(resource, undefined, NOW, given(allowed)), 'ops');
  const open = { ...given({}).authority(''), issuancePolicy: 'Everything' } as never;
  assert.is(await assertServed(resource, undefined, NOW, { ...given({}), authority: () => open }), undefined);
});

/** Of the request of the resource. */
const approval = {
  ...resource,
  certificateName: resource.name,
  certificateUid: resource.uid,
  authorityRef: resource.spec.authorityRef,
  request: requestDigest(resource.spec),
  isApproved: true,
  reason: '',
  validUntil: after(HOUR),
  approvedBy: 'alice',
} satisfies Decision;

const platform = { tier: 'platform' };
const tenant = { tier: 'tenant' };

/** What the API server holds of each, and the caches don't. */
type Held = Readonly<Partial<Record<Decisive, () => Promise<Partial<ObserveDeps>>>>>;

/** The watches of what is held there are behind. Answers the refusal, and what was read. */
async function behind(caches: ObserveDeps, held: Held) {
  const reads: Decisive[] = [];
  const deps: ObserveDeps = {
    ...caches,
    isBehind: (what) => held[what] !== undefined,
    readPast: async (what) => {
      reads.push(what);
      Object.assign(deps, await held[what]?.());
    },
  };
  return [await refusal(resource, undefined, deps), ...reads];
}

const labelled = (scene: Scene) => given({ ...scene, labels: platform });
const labels = (found: Readonly<Record<string, string>> | undefined) => ({
  labels: async () => ({ namespaceLabels: () => found }),
});
const away = async () => Promise.reject(new RetryableError('AuthorityNotReady', 'it is away'));

test('while the watch of namespaces is behind, labels that decide are read', async () => {
  const byRule = labelled({ rules: [rule(bySelector)] });
  assert.equal(await behind(byRule, labels(tenant)), ['DeniedByPolicy', 'labels']);
  assert.equal(await behind(byRule, labels(platform)), [undefined, 'labels']);
  const byAuthority = labelled({ ...allowed, allowedNamespaces: bySelector });
  assert.equal(await behind(byAuthority, labels(tenant)), ['NamespaceNotAllowed', 'labels']);
  assert.equal(await behind(byAuthority, labels(undefined)), ['AuthorityNotReady', 'labels'], 'it is gone');
  assert.equal(await behind(byAuthority, { labels: away }), ['AuthorityNotReady', 'labels']);
});

test('while the watch of namespaces is behind, nothing is read where names decide', async () => {
  const byName = (name: string) => labelled({ ...allowed, allowedNamespaces: { names: [name] } });
  assert.equal(await behind(byName('team'), labels(tenant)), [undefined]);
  assert.equal(await behind(byName('other'), labels(tenant)), ['NamespaceNotAllowed']);
});

test('while the watch of authorities is behind, the authority is read, and its rules say what else is', async () => {
  const held = (scene: Scene) => async () => ({ authority: given(scene).authority });
  const open = labelled(allowed);
  assert.equal(await behind(open, { authority: held(allowed) }), [undefined, 'authority']);
  assert.equal(await behind(open, { authority: held({ rules: [] }) }), ['DeniedByPolicy', 'authority']);
  const gone = async () => ({ authority: () => undefined });
  assert.equal(await behind(open, { authority: gone }), ['AuthorityNotFound', 'authority']);
  assert.equal(await behind(open, { authority: away }), ['AuthorityNotReady', 'authority']);
  const both = { authority: held({ rules: [rule(bySelector)] }), ...labels(tenant) };
  assert.equal(await behind(open, both), ['DeniedByPolicy', 'authority', 'labels']);
});

test('while the watch of approvals is behind, they are read where a rule demands one', async () => {
  const approved = {
    ...given({ rules: [{ ...rule({ all: true }), approval: 'Required' }] }),
    approvals: () => [approval],
  };
  assert.is(await refusal(resource, undefined, approved), undefined);
  const held = (decisions: readonly Decision[]) => async () => ({ approvals: () => decisions });
  assert.equal(await behind(approved, { approvals: held([approval]) }), [undefined, 'approvals']);
  assert.equal(await behind(approved, { approvals: held([]) }), ['ApprovalPending', 'approvals']);
  assert.equal(await behind(approved, { approvals: away }), ['AuthorityNotReady', 'approvals']);
  assert.equal(await behind(labelled(allowed), { approvals: held([]) }), [undefined]);
});

test('what a watch tells of a request with another key is read past it, since the client may have replaced that key', async () => {
  const own = aClientsOwn();
  const made = await Promise.all(['held', 'next'].map(() => generateKey({ algorithm: 'Ed25519' })));
  const [held, next] = made.map((key) => ({
    pin: publicKeyPin(publicKeyDer(key)),
    object: { data: { 'client.csr': toPem(CSR_LABEL, makeCsr({ key, ...own.spec.identity })) } },
  }));
  const { secret } = anObserved(own).withSecret().build();
  const holding = { ...secret, certificate: { ...secret?.certificate, publicKeyPinSHA256: next?.pin } } as SecretView;
  const look = async (told: RawObject | undefined) => {
    let reads = 0;
    const seen = await observe(own, {
      ...given({}),
      cachedSecret: () => holding,
      readReferred: async () => told,
      readReferredPast: async () => {
        reads++;
        return next?.object;
      },
    });
    return [requestOf(seen.resource.spec)?.publicKeyPin, reads];
  };
  assert.equal(await look(held?.object), [next?.pin, 1]);
  assert.equal(await look(next?.object), [next?.pin, 0]);
});

test.run();
