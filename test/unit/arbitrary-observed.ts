import fc from 'fast-check';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import type { Observed } from '../../src/certificate/observed.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { ALLOWED, type Permission } from '../../src/policy/permission.ts';
import { aCertificate, after, anObserved, DAY } from './builders.ts';
import { aClientsOwn, aRequest } from './client-requests.ts';
import { aRule } from './rules-of.ts';

/**
 * What a reconcile may see, damaged and improbable things too. What keeps all checks behind it from being reached, such as
 * a rival or a suspension, is rare.
 */

const moment = fc.oneof(
  fc.integer({ min: -400 * 86_400, max: 400 * 86_400 }).map((seconds) => after(seconds * 1_000)),
  fc.integer({ min: -2 * DAY, max: 2 * DAY }).map((ms) => after(ms)),
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const momentText = fc.oneof(
  moment.map((each) => each.toISOString()),
  fc.constantFrom('', 'soon', '9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z'),
);
/** Nine times of ten what is usual. */
const rarely = <T, Usual>(arbitrary: fc.Arbitrary<T>, usual: Usual) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
const code = fc.constantFrom(...ERROR_CODES);

const status = fc.record(
  {
    observedGeneration: fc.integer({ min: 0, max: 3 }),
    revision: fc.integer({ min: 1, max: 9 }),
    nextAttemptTime: momentText,
    lastFailure: fc.record({ time: momentText, reason: code, message: fc.string(), attempts: fc.integer() }),
    conditions: fc.constant([
      { type: 'Ready', status: 'False', reason: 'Expired', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<ClientCertificateStatus>;

const spec = fc.record(
  {
    duration: fc.constantFrom('1m', '90.5s', '24h', '168h', '2160h', '1000000h'),
    renewBefore: fc.constantFrom('5s', '8h', '167h', '0s'),
    renewBeforePercentage: fc.integer({ min: 1, max: 99 }),
    suspend: rarely(fc.constant(true), false),
    privateKey: fc.constantFrom({ algorithm: 'RSA' }, { algorithm: 'Ed25519' }, {}, { encoding: 'PKCS1' }),
    commonName: rarely(fc.constant('system:admin'), 'client'),
    subject: rarely(fc.constant(['team', 'kubeadm:cluster-admins']), ['team']).map((organizations) => ({
      organizations,
    })),
    ipAddresses: rarely(fc.constant(['1.2.3.4.5']), ['::1']),
    deletionPolicy: fc.constantFrom('Delete', 'Retain'),
    secretTemplate: fc.constantFrom({ labels: { a: 'b' } }, { annotations: { constructor: 'c' } }),
  },
  { requiredKeys: [] },
);

/** Of a client that keeps its key; most keep none. */
const request = rarely(
  fc.constantFrom(
    undefined,
    { problem: 'it is no PEM' },
    aRequest({ subject: {} }),
    aRequest({ publicKeyPin: 'another', isCA: true }),
    aRequest({ foreignNames: ['otherName'], keySpec: { algorithm: 'RSA', size: 2048 } }),
  ),
  'none' as const,
);

const resource = fc
  .record({ spec, status, renewAt: maybe(moment), generation: fc.integer({ min: 1, max: 3 }), request })
  .map(({ spec: asked, status: told, renewAt, generation, request: clients }) => {
    const builder = aCertificate(asked).with({ generation }).withStatus(told);
    const renewed = renewAt === undefined ? builder : builder.renewAt(renewAt);
    return clients === 'none' ? renewed.build() : aClientsOwn(clients, renewed);
  });

const certificate = fc.record(
  {
    notBefore: moment,
    notAfter: moment,
    issuerFingerprint: fc.constantFrom('ca 1', 'ca 2', 'stranger'),
    anchorFingerprints: fc.subarray(['ca 1', 'ca 2', 'stranger'], { minLength: 1 }),
    key: fc.constantFrom(undefined, { algorithm: 'Ed25519' as const }),
  },
  { requiredKeys: [] },
);

const OURS = { certificateName: 'client', certificateUid: 'uid-1' };

const secret = fc
  .record({
    fields: fc.record(
      {
        certificate: maybe(certificate),
        adoptBy: fc.constantFrom('client', 'other'),
        type: rarely(fc.constantFrom('Opaque', ''), 'kubernetes.io/tls'),
        owner: fc.constantFrom(OURS, OURS, OURS, undefined, { certificateName: 'client', certificateUid: 'uid-2' }),
        ownerReferences: fc.constantFrom([], ['somebody']),
        trustBundleHash: fc.constantFrom('hash 0', 'hash 1'),
      },
      { requiredKeys: [] },
    ),
    memory: fc.record(
      {
        revision: fc.integer(),
        authority: fc.constantFrom(undefined, 'CertificateAuthority/other'),
        issuedAt: maybe(moment),
        requestedDurationMs: maybe(fc.integer({ min: 0, max: 90 * DAY })),
        templateKeys: fc.constantFrom('', 'a', ','),
        outputs: fc.constantFrom('', 'another'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ fields, memory }) => ({
    ...fields,
    memory,
    ...('certificate' in fields && fields.certificate === undefined ? { problem: 'tls.key is missing' } : {}),
  }));

const permission: fc.Arbitrary<Permission> = fc.constantFrom<Permission>(
  ALLOWED,
  ALLOWED,
  { is: 'pending' },
  { is: 'full', rule: aRule(), most: 2 },
  { is: 'noOrganizations' },
  { is: 'denied', misfits: [], others: 0, fill: { namespace: 'team', name: 'client', labels: new Map() } },
);

const authority = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('AuthorityNotFound', 'AuthorityNotReady', 'NamespaceNotAllowed') },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        trouble: fc.oneof(
          { weight: 3, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.record({ code, message: fc.string() }) },
        ),
        troubleSince: maybe(moment),
        signing: maybe(fc.record({ version: fc.integer({ min: 1, max: 2 }), since: moment, notAfter: moment })),
        released: fc.constantFrom(new Set<string>(), new Set(['team/client'])),
        generations: fc.constantFrom(
          new Map(),
          new Map([['ca 1', { version: 1, signs: true }]]),
          new Map([
            ['ca 1', { version: 1, signs: false }],
            ['ca 2', { version: 2, signs: true }],
          ]),
        ),
        limits: rarely(fc.constantFrom({ maxDurationMs: 1 }, { keyAlgorithms: ['RSA'] }), {}),
        trust: fc.constant({ pem: '', hash: '', anchors: new Map() }),
      },
      { requiredKeys: [] },
    ),
  },
) as fc.Arbitrary<Parameters<ReturnType<typeof anObserved>['from']>[0]>;

export const arbitraryMoment = moment;
export const arbitraryObserved: fc.Arbitrary<Observed> = fc
  .record({
    resource,
    secret: maybe(secret),
    authority,
    permission,
    rival: rarely(fc.constant('first'), undefined),
    fallback: maybe(fc.record({ authority, permission })),
  })
  .map((all) => {
    const seen = anObserved(all.resource).from(all.authority);
    const { resource: asked } = all;
    const authorityRef = { ...asked.spec.authorityRef, name: 'reserve' };
    const fallback = all.fallback && {
      resource: { ...asked, spec: { ...asked.spec, authorityRef } },
      authority: anObserved(asked).from(all.fallback.authority).build().authority,
      permission: all.fallback.permission,
    };
    return (all.secret === undefined ? seen : seen.withSecret(all.secret))
      .build()
      .with({ permission: all.permission, rival: all.rival, fallback });
  });
