/** What is asked again before a fallback signs, and before that is published: the rules of both authorities. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../test/pki/make.ts';
import { type AuthorityFields, aCertificate, after, anAuthority, HOUR } from '../../test/unit/builders.ts';
import { cachesOf } from '../../test/unit/caches.ts';
import { type Decision, requestDigest } from '../api/certificate-approval.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import { OWN_CA_CAPABILITIES } from '../backends/shared/own-ca.ts';
import { RetryableError } from '../errors.ts';
import { generateKey } from '../pki/keys.ts';
import { type ObserveDeps, observe } from './observe.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';
import { assertServedByFallback } from './served.ts';

const kind = 'ClusterCertificateAuthority';
const resource = aCertificate({ authorityRef: { kind, name: 'ca' } }).build();
const AWAY = { trouble: { code: 'AuthorityUnreachable', message: 'no answer' } } as const;

interface Scene {
  readonly own?: object;
  readonly reserve?: object;
  readonly views?: { readonly own?: AuthorityFields; readonly reserve?: AuthorityFields };
  readonly decisions?: readonly Decision[];
  /** The fallback that was asked. */
  readonly asked?: string;
}

const rule = (more: object = {}) => ({ name: 'all', namespaces: { all: true }, commonNames: ['*'], ...more });
const rules = (...all: object[]) => ({ issuancePolicy: { rules: all } });

/** Caches that hold the authority `ca`, which is in trouble, and its fallback `reserve`. */
function given({ own, reserve, views = {}, decisions = [] }: Scene = {}): ObserveDeps {
  const spec = { secret: { name: 'pair' }, allowedNamespaces: { all: true }, ...rules(rule()) };
  const parse = (name: string, more: object) =>
    parseCertificateAuthority(kind, { metadata: { name }, spec: structuredClone({ ...spec, ...more }) });
  const authorities = new Map([
    [`${kind}/ca`, parse('ca', { fallback: { name: 'reserve' }, ...own })],
    [`${kind}/reserve`, parse('reserve', { ...reserve })],
  ]);
  return {
    ...cachesOf(resource),
    authority: (key) => authorities.get(key),
    authorityView: (key) => anAuthority(key.endsWith('/ca') ? { ...AWAY, ...views.own } : views.reserve),
    approvals: () => decisions,
  };
}

async function refusal(scene: Scene, made?: UnpublishedCertificate, deps = given(scene)): Promise<unknown> {
  const { asked: name = 'reserve' } = scene;
  const asked = { spec: { ...resource.spec, authorityRef: { kind, name } as const } };
  return assertServedByFallback(resource, made, asked, NOW, deps).then(
    () => undefined,
    (error: unknown) => (error instanceof RetryableError ? error.code : error),
  );
}

const approvalFor = (name: string): Decision => ({
  ...resource,
  certificateName: resource.name,
  certificateUid: resource.uid,
  authorityRef: { kind, name },
  request: requestDigest(resource.spec),
  isApproved: true,
  reason: '',
  validUntil: after(HOUR),
  approvedBy: 'alice',
});
const needsApproval = rules(rule({ approval: 'Required' }));
const limits = { limits: { maxDurationMs: 23 * HOUR } };

const CASES: Readonly<Record<string, readonly [Scene, string | undefined]>> = {
  'both allow it': [{}, undefined],
  'the rules of the authority deny it': [{ own: rules() }, 'DeniedByPolicy'],
  'the rules of the fallback deny it': [{ reserve: rules() }, 'DeniedByPolicy'],
  'the authority does not serve the namespace': [
    { own: { allowedNamespaces: { names: ['other'] } } },
    'NamespaceNotAllowed',
  ],
  'the fallback does not serve the namespace': [
    { reserve: { allowedNamespaces: { names: ['other'] } } },
    'NamespaceNotAllowed',
  ],
  'the limits of the authority forbid it': [{ views: { own: limits } }, 'LimitExceeded'],
  'the limits of the fallback forbid it': [{ views: { reserve: limits } }, 'LimitExceeded'],
  'a rule of the fallback counts places': [{ reserve: rules(rule({ maxCertificates: 9 })) }, 'DeniedByPolicy'],
  'an approval for the authority is none for the fallback': [
    { reserve: needsApproval, decisions: [approvalFor('ca')] },
    'ApprovalPending',
  ],
  'an approval for the fallback counts': [{ reserve: needsApproval, decisions: [approvalFor('reserve')] }, undefined],
  'the fallback is in trouble too': [{ views: { reserve: AWAY } }, 'AuthorityNotReady'],
  'the authority names no fallback any more': [{ own: { fallback: undefined } }, 'Conflict'],
  'the authority names a fallback that is not there': [
    { own: { fallback: { name: 'other' } }, asked: 'other' },
    'AuthorityNotFound',
  ],
  'the authority names another fallback than the one that was asked': [{ asked: 'other' }, 'Conflict'],
};

for (const [sentence, [scene, code]] of Object.entries(CASES))
  test(`asked before a fallback signs: ${sentence}`, async () => assert.is(await refusal(scene), code));

test('an answer that is longer than either of the two permits is not published', async () => {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const { certificate } = await leaf(await root(), { notAfter: after(48 * HOUR), key });
  const made = { issued: { chain: [certificate] }, key, issuedAt: NOW };
  const capabilities = { ...OWN_CA_CAPABILITIES, lifetime: 'rounded' as const };
  const ask = (own: number, reserve: number) =>
    refusal(
      {
        views: {
          own: { limits: { maxDurationMs: own * HOUR } },
          reserve: { capabilities, limits: { maxDurationMs: reserve * HOUR } },
        },
      },
      made,
    );
  assert.is(await ask(48, 48), undefined);
  assert.is(await ask(36, 48), 'InvalidAnswer');
  assert.is(await ask(48, 36), 'InvalidAnswer');
});

test('while the watch of authorities is behind, the fallback is read too', async () => {
  const read: string[] = [];
  const deps = given();
  const isBehind: ObserveDeps['isBehind'] = (what) => what === 'authority';
  const readPast: ObserveDeps['readPast'] = async (_what, { spec }) => void read.push(spec.authorityRef.name);
  assert.is(await refusal({}, undefined, { ...deps, isBehind, readPast }), undefined);
  assert.equal(read, ['ca', 'reserve']);
});

test('a fallback is looked at only while the authority is in trouble', async () => {
  const seen = await observe(resource, given());
  assert.is(seen.fallback?.resource.spec.authorityRef.name, 'reserve');
  const well = await observe(resource, given({ views: { own: { trouble: undefined } } }));
  assert.is(well.fallback, undefined);
});

test.run();
