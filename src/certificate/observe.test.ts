import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, anAuthority } from '../../test/unit/builders.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import { RetryableError } from '../errors.ts';
import { assertServed, type ObserveDeps, observe } from './observe.ts';

const kind = 'ClusterCertificateAuthority';
const resource = aCertificate({ authorityRef: { kind, name: 'ca' }, subject: { organizations: ['ops'] } }).build();
const bySelector = { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tenant'] }] } };

interface Scene {
  readonly allowedNamespaces?: object;
  readonly rules?: readonly object[];
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

const rule = (namespaces: object, organizations = ['ops']) => ({ name: 'ops', namespaces, subject: { organizations } });

/** What an authority with these rules, and a namespace with these labels, look like from the caches. */
function given({ allowedNamespaces = { all: true }, rules = [], labels }: Scene): ObserveDeps {
  const spec = { secret: { name: 'pair' }, allowedNamespaces, issuancePolicy: { rules } };
  const authority = parseCertificateAuthority(kind, { metadata: { name: 'ca' }, spec: structuredClone(spec) });
  return {
    cachedSecret: () => undefined,
    nextKey: () => undefined,
    recent: () => undefined,
    readSecret: async () => undefined,
    rivals: () => [],
    usesOf: () => [],
    certificate: () => undefined,
    authority: () => authority,
    authorityView: () => anAuthority(),
    keepView: () => {},
    clusterAuthorities: true,
    namespaceLabels: () => labels,
  };
}

const serving = async (scene: Scene) => (await observe(resource, given(scene))).rules?.map(({ serves }) => serves);

test('each rule of the stored authority is seen with whether it is for the namespace', async () => {
  const rules = [rule({ names: ['team'] }), rule({ names: ['other'] }), rule({ all: true }), rule(bySelector)];
  assert.equal(await serving({ rules, labels: { tier: 'platform' } }), [true, false, true, true]);
  assert.equal(await serving({ rules, labels: { tier: 'tenant' } }), [true, false, true, false]);
});

test('while the labels of the namespace are not known, a rule that goes by them is neither for it nor not', async () => {
  assert.equal(await serving({ rules: [rule(bySelector)] }), [undefined]);
});

test('an authority that is not there has no rules, which allows nothing', async () => {
  const seen = await observe(resource, { ...given({}), authority: () => undefined });
  assert.equal([seen.authority, seen.rules], ['AuthorityNotFound', []]);
});

const CHANGES: Readonly<Record<string, readonly [scene: Scene, code: string | undefined]>> = {
  'a rule still allows it': [{ rules: [rule({ all: true })] }, undefined],
  'the rule is gone': [{ rules: [] }, 'DeniedByPolicy'],
  'the rule lists another organization': [{ rules: [rule({ all: true }, ['dev'])] }, 'DeniedByPolicy'],
  'the rule is for another namespace': [{ rules: [rule({ names: ['other'] })] }, 'DeniedByPolicy'],
  'the namespace has lost its label': [{ rules: [rule(bySelector)], labels: { tier: 'tenant' } }, 'DeniedByPolicy'],
  'the labels are not known any more': [{ rules: [rule(bySelector)] }, 'AuthorityNotReady'],
  'the namespace is not served any more': [{ allowedNamespaces: { names: ['other'] } }, 'NamespaceNotAllowed'],
};

for (const [sentence, [scene, code]] of Object.entries(CHANGES))
  test(`asked again before it is signed or published: ${sentence}`, () => {
    const ask = () => assertServed(resource, given(scene));
    if (code === undefined) ask();
    else assert.throws(ask, (error: unknown) => error instanceof RetryableError && error.code === code);
  });

test.run();
