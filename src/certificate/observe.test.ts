import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../test/pki/make.ts';
import { type AuthorityFields, aCertificate, after, anAuthority, HOUR } from '../../test/unit/builders.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { OWN_CA_CAPABILITIES } from '../backends/shared/own-ca.ts';
import { RetryableError } from '../errors.ts';
import { generateKey } from '../pki/keys.ts';
import { assertServed, type ObserveDeps, observe } from './observe.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';

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
    cachedSecret: () => undefined,
    nextKey: () => undefined,
    recent: () => undefined,
    readSecret: async () => undefined,
    readReferred: async () => undefined,
    isSecretAbsent: () => false,
    firstToName: () => undefined,
    usesOf: () => [],
    certificate: () => undefined,
    authority: () => authority,
    authorityView: () => anAuthority(view),
    keepView: () => {},
    places: { ahead: () => ahead },
    clusterAuthorities: true,
    namespaceLabels: () => labels,
    areLabelsBehind: () => false,
    readLabels: async () => undefined,
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

const platform = { tier: 'platform' };
const tenant = { tier: 'tenant' };

/** The cache says platform; `read` is what is read past it. Answers the refusal and how often that was. */
async function behind(scene: Scene, read: () => Promise<Readonly<Record<string, string>> | undefined>) {
  let reads = 0;
  const readLabels = () => {
    reads += 1;
    return read();
  };
  const areLabelsBehind = () => true;
  const code = await refusal(resource, undefined, {
    ...given({ ...scene, labels: platform }),
    areLabelsBehind,
    readLabels,
  });
  return [code, reads];
}

test('while the watch of namespaces is behind, labels that decide are read', async () => {
  const byRule = { rules: [rule(bySelector)] };
  assert.equal(await behind(byRule, async () => tenant), ['DeniedByPolicy', 1]);
  assert.equal(await behind(byRule, async () => platform), [undefined, 1]);
  const byAuthority = { ...allowed, allowedNamespaces: bySelector };
  assert.equal(await behind(byAuthority, async () => tenant), ['NamespaceNotAllowed', 1]);
  assert.equal(await behind(byAuthority, async () => undefined), ['AuthorityNotReady', 1], 'it is gone');
  const failing = async () => Promise.reject(new RetryableError('AuthorityNotReady', 'it is away'));
  assert.equal(await behind(byAuthority, failing), ['AuthorityNotReady', 1]);
});

test('while the watch of namespaces is behind, nothing is read where names decide', async () => {
  const read = async () => tenant;
  assert.equal(await behind({ ...allowed, allowedNamespaces: { names: ['team'] } }, read), [undefined, 0]);
  assert.equal(await behind({ ...allowed, allowedNamespaces: { names: ['other'] } }, read), ['NamespaceNotAllowed', 0]);
});

test.run();
