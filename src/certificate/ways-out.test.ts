/**
 * Every combination of resource, authority, Secret and health, through the real reconcile with real keys,
 * signatures and Secrets. The API server and the turnstile are stand-ins: no real ones can be brought into each state.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { aCertificate, after, DAY, HOUR, MINUTE, NOW, PROPAGATION_MS, SECOND } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { requestDeps } from '../../test/unit/next-store.ts';
import { anOwnAuthority, SILENT } from '../../test/unit/own-authority.ts';
import { SecretStore, stored } from '../../test/unit/secret-store.ts';
import {
  type BrokenClientCertificate,
  type ClientCertificate,
  conditionsOf,
  parseClientCertificate,
} from '../api/client-certificate.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import type { RawObject } from '../api/parse.ts';
import type { StatusFields } from '../api/stored-status.ts';
import { NO_TRUST } from '../backends/backend.ts';
import { ApiError, AuthorityError, classify, DeniedError } from '../errors.ts';
import { encodePrivateKey, generateKey, publicKeyDer } from '../pki/keys.ts';
import { Buckets } from '../queue/bucket.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { SlowWork } from '../queue/slow-work.ts';
import { Turnstile } from '../queue/turnstile.ts';
import { isOurs, type NoAuthority, Observed } from './observed.ts';
import { RecentActs } from './recent.ts';
import { type CertificateDeps, reconcileCertificate } from './reconcile.ts';
import { UnpublishedCertificates } from './request/unpublished.ts';
import { secretManifest } from './secret/manifest.ts';
import type { EventText } from './status/events.ts';

const years = after(4000 * DAY);
const ca = await root({ notBefore: after(-400 * DAY), notAfter: years });
const KEY = 'team/client';
const ENDED_AT = after(-HOUR);

const READY: ClientCertificateStatus = {
  observedGeneration: 1,
  revision: 1,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Issued', message: '', lastTransitionTime: '2026-05-01T00:00:00Z' },
  ],
};
const issued = aCertificate().withStatus(READY);
const RESOURCES: Readonly<Record<string, RawObject>> = {
  'a new one': aCertificate().raw,
  'an issued one': issued.raw,
  'a suspended one': issued.suspended().raw,
  'one that is being deleted': issued.with({ deletionTimestamp: '2026-06-01T11:00:00Z', finalizers: ['hold/it'] }).raw,
  'one with another spec': issued.with({ generation: 2 }).asking({ dnsNames: ['new.example.com'] }).raw,
  'one that names what no authority may': issued.asking({ commonName: 'system:admin' }).raw,
  'one that failed a moment ago': issued.failed().raw,
  'one that makes no sense under the schema': issued.asking({ duration: 'long' }).raw,
};

const AUTHORITIES: readonly (NoAuthority | 'well' | 'busy' | 'in trouble')[] = [
  'well',
  'busy',
  'in trouble',
  'AuthorityNotFound',
  'AuthorityNotReady',
  'AuthorityNotSeen',
  'ClusterAuthorityNotServed',
  'NamespaceNotAllowed',
];

/** What the Secret holds before the look; the certificates are real ones. */
const SECRETS: Readonly<Record<string, (good: RawObject, ended: RawObject) => RawObject | undefined>> = {
  'no Secret': () => undefined,
  'a good Secret': (good) => good,
  'a Secret that has ended': (_good, ended) => ended,
  'a Secret without ca.crt': ({ data, ...rest }) => ({ ...rest, data: { ...data, 'ca.crt': '' } }),
  'a Secret of another': ({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, labels: {}, annotations: {} },
  }),
};

const HEALTH: Readonly<Record<string, (scene: Scene) => void>> = {
  'all well': () => {},
  'a role that is missing': (scene) => {
    scene.writeError = new ApiError(403, 'Forbidden', 'secrets is forbidden: User "x" cannot patch resource "secrets"');
  },
  'no right to read': (scene) => {
    scene.readError = new ApiError(403, 'Forbidden', 'secrets is forbidden: User "x" cannot get resource "secrets"');
  },
  'a quota that is full': (scene) => {
    scene.writeError = new ApiError(403, 'Forbidden', 'exceeded quota: q', { resource: 'secrets' });
  },
  'a webhook that is away': (scene) => {
    scene.writeError = new ApiError(500, 'InternalError', 'failed calling webhook "w"', { resource: 'secrets' });
  },
  'an admission that takes ca.crt away': (scene) => {
    scene.store.mutate = ({ data, ...rest }) => ({
      ...rest,
      data: { 'tls.crt': '', 'tls.key': '', ...data, 'ca.crt': '' },
    });
  },
  'an admission that takes our label away': (scene) => {
    scene.store.mutate = ({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, labels: {} } });
  },
  'an API server that stores no Secret now': (scene) => {
    scene.writeError = new ApiError(503, 'ServiceUnavailable', 'etcd is busy');
  },
  'an authority that says no': (scene) => {
    scene.issueError = new DeniedError('RequestDenied', 'not you');
  },
  'an authority that is away': (scene) => {
    scene.issueError = new AuthorityError('AuthorityUnreachable', 'connection refused');
  },
  'a bug': (scene) => {
    scene.issueError = new TypeError('x is undefined');
  },
};

interface Scene {
  readonly store: SecretStore;
  writeError?: Error;
  readError?: Error;
  issueError?: Error;
}

async function secretThatEnds(at: Date): Promise<RawObject> {
  const clock = new FakeClock(after(-DAY, at));
  const resource = aCertificate().build();
  const { view, backend } = anOwnAuthority([ca], clock);
  const key = await generateKey(resource.spec.key);
  const request = {
    id: 'id',
    requester: { namespace: 'team', name: 'client', uid: 'uid-1' },
    publicKey: publicKeyDer(key),
    csr: () => Buffer.alloc(0),
    identity: resource.spec.identity,
    lifetimeMs: DAY,
  };
  const answer = await backend.issue(request, new AbortController().signal);
  if (!('chain' in answer)) throw new Error('it answers at once');
  const data = {
    certificateChain: answer.chain.map(({ pem }) => pem).join(''),
    privateKey: encodePrivateKey(key, 'PKCS8'),
    trustBundle: view.trust.pem,
  };
  const memory = {
    revision: 1,
    authority: 'CertificateAuthority/ca',
    authorityGeneration: 1,
    requestedDurationMs: DAY,
    issuedAt: clock.now(),
    ledger: '',
  };
  return stored(secretManifest(resource, data, memory, undefined), 'uid-of-secret', '10');
}

const good = await secretThatEnds(after(20 * HOUR));
const ended = await secretThatEnds(ENDED_AT);

function parts(resource: RawObject, authority: (typeof AUTHORITIES)[number], secret: RawObject | undefined) {
  const clock = new FakeClock(NOW);
  const scene: Scene = { store: new SecretStore() };
  scene.store.object = secret;
  const own = anOwnAuthority([ca], clock);
  const turnstile = new Turnstile({ capacity: 1 }, clock, () => true);
  if (authority === 'busy') turnstile.enter('team/another', undefined);
  const view =
    authority === 'in trouble' ? { ...own.view, trouble: { code: 'CAExpired', message: 'it ended' } } : own.view;
  const isKnown = authority === 'well' || authority === 'busy' || authority === 'in trouble';
  const events: EventText[] = [];
  const shown: ClientCertificateStatus[] = [];
  let current: ClientCertificate | BrokenClientCertificate = parseClientCertificate(structuredClone(resource));
  const recent = new RecentActs();
  const deps: CertificateDeps = {
    ...requestDeps(clock),
    slowWork: new SlowWork(1, clock, () => true),
    secrets: {
      get: () => scene.store.get(),
      apply: async (manifest) => {
        if (scene.writeError !== undefined) throw scene.writeError;
        return scene.store.apply(manifest);
      },
      rehearse: (manifest) => scene.store.rehearse(manifest),
      remove: (each) => scene.store.remove(each),
    },
    unpublished: new UnpublishedCertificates(),
    assertServed: async () => {},
    recent,
    log: SILENT,
    find: () => current,
    nextKey: () => undefined,
    isGone: async () => false,
    observe: async (each: ClientCertificate) => {
      if (scene.readError !== undefined) throw scene.readError;
      return new Observed({
        resource: each,
        authority: isKnown ? (view as typeof own.view) : authority,
        rules: undefined,
        secret: scene.store.view(),
        rival: undefined,
        recent: recent.of(KEY),
      });
    },
    runtime: () => ({
      backend: {
        ...own.backend,
        issue: async (...asked) => {
          if (scene.issueError !== undefined) throw scene.issueError;
          return own.backend.issue(...asked);
        },
      },
      turnstile,
      polls: undefined,
    }),
    writeStatus: async (_each, status) => {
      current = parseClientCertificate(structuredClone({ ...resource, status }));
    },
    recordEvent: (_each, event) => void events.push(event),
    statusWrites: new Buckets({ capacity: 20, refillMs: 2_000 }),
    routineEvents: false,
    propagationMs: PROPAGATION_MS,
    metrics: { rotated: () => {}, failed: () => {}, show: (_each, status) => void shown.push(status) },
  };
  return { clock, deps, events, scene, shown, status: () => current.status };
}

const run: Run = { signal: new AbortController().signal, releaseWorker: (wait) => wait() };

async function lookOnce(deps: CertificateDeps): Promise<Outcome | Error> {
  try {
    return await reconcileCertificate(KEY, deps, run);
  } catch (error) {
    return error as Error;
  }
}

const ready = (status: StatusFields<'conditions'>) => conditionsOf(status).find(({ type }) => type === 'Ready');

for (const [what, resource] of Object.entries(RESOURCES))
  for (const authority of AUTHORITIES)
    for (const [where, secretOf] of Object.entries(SECRETS))
      test(`${what}, ${authority}, ${where}: whatever fails, status is true and says what comes next`, async () => {
        for (const [health, ill] of Object.entries(HEALTH)) {
          const { clock, deps, scene, shown, status } = parts(resource, authority, secretOf(good, ended));
          ill(scene);
          const outcomes = [await lookOnce(deps)];
          // A second look, as the next event or timer brings it, and one after the certificate has ended.
          clock.jump(MINUTE);
          outcomes.push(await lookOnce(deps));
          clock.jump(3 * DAY);
          outcomes.push(await lookOnce(deps));
          const now = clock.now();
          const view = scene.store.view();
          const seen = { resource: deps.find(KEY) as ClientCertificate, secret: view };
          const held = isOurs(seen) ? view?.certificate : undefined;
          const isGood = held !== undefined && held.notBefore <= now && held.notAfter > now;
          const told = `${health}: ${JSON.stringify([outcomes, status().conditions, view?.problem])}`;
          if (ready(status())?.status === 'True') assert.ok(isGood, `ready without a good certificate; ${told}`);
          assert.ok(shown.length > 0, `no series; ${told}`);
          assert.is(ready(shown.at(-1) ?? {})?.status === 'True' && !isGood, false, `the series says ready; ${told}`);
          const last = outcomes.at(-1);
          if (last instanceof Error) {
            // The controller tries again with backoff; everything else must be a report.
            assert.ok(last instanceof ApiError || 'code' in last, told);
            continue;
          }
          const hasMoment = last?.do === 'again' || last?.do === 'retry' || last?.recheckAt !== undefined;
          const reasons = conditionsOf(shown.at(-1) ?? {}).filter(
            ({ type, reason, message }) =>
              type !== 'Ready' || reason === 'InvalidSpec' || /spec.suspend|being deleted/.test(message),
          );
          const isUnseen = authority === 'AuthorityNotSeen' || (authority === 'busy' && reasons.length > 0);
          assert.ok(hasMoment || reasons.length > 0 || isUnseen, `neither a moment nor a reason; ${told}`);
        }
      });

test('a status that the API server refuses is no failed rotation: the certificate stays, and nothing is signed again', async () => {
  const { clock, deps, scene, shown, status } = parts(aCertificate().raw, 'well', undefined);
  let isRefused = true;
  const refusing: CertificateDeps = {
    ...deps,
    writeStatus: async (...written) => {
      if (isRefused) throw new ApiError(422, 'Invalid', 'status is invalid', { resource: 'clientcertificates' });
      return deps.writeStatus(...written);
    },
  };
  for (let look = 0; look < 5; look++) {
    const outcome = await lookOnce(refusing);
    assert.is(outcome instanceof ApiError && classify(outcome).code, 'ObjectRefused');
    clock.jump(SECOND);
  }
  assert.is(scene.store.writes, 1);
  assert.is(ready(shown.at(-1) ?? {})?.status, 'True', 'the series says what is the case');
  isRefused = false;
  await lookOnce(refusing);
  assert.is(ready(status())?.status, 'True');
  assert.is(status().lastFailure, undefined);
});

test('what is given up as the process ends is no failure of an authority', async () => {
  const { deps, shown } = parts(issued.raw, 'well', ended);
  const stop = new AbortController();
  const stopping: CertificateDeps = {
    ...deps,
    runtime: () => ({
      turnstile: undefined,
      polls: undefined,
      backend: {
        check: async () => {},
        trust: async () => NO_TRUST,
        issue: async () => {
          stop.abort(new Error('shutting down'));
          throw new AuthorityError('AuthorityUnreachable', 'shutting down');
        },
      },
    }),
  };
  assert.equal(await reconcileCertificate(KEY, stopping, { ...run, signal: stop.signal }), { do: 'rest' });
  assert.is(shown.length, 0);
});

test.run();
