/**
 * Every combination of resource, authority, Secret and health, through the real reconcile with real keys,
 * signatures and Secrets. The API server and the turnstile are stand-ins: no real ones can be brought into each state.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, DAY, MINUTE, SECOND } from '../../test/unit/builders.ts';
import {
  type AuthorityState,
  ended,
  good,
  KEY,
  lookOnce,
  parts,
  ready,
  run,
  type Scene,
} from '../../test/unit/ways-out-scene.ts';
import { type ClientCertificate, conditionsOf } from '../api/client-certificate.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import type { RawObject } from '../api/parse.ts';
import { NO_TRUST } from '../backends/backend.ts';
import { ApiError, AuthorityError, classify, DeniedError } from '../errors.ts';
import type { CertificateDeps } from './deps.ts';
import { isOurs } from './observed.ts';
import { reconcileCertificate } from './reconcile.ts';

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

const AUTHORITIES: readonly AuthorityState[] = [
  'well',
  'busy',
  'in trouble',
  'AuthorityNotFound',
  'AuthorityNotReady',
  'AuthorityNotSeen',
  'ClusterAuthorityNotServed',
  'NamespaceNotAllowed',
];

/** What the Secret holds before the reconcile; the certificates are real ones. */
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

for (const [what, resource] of Object.entries(RESOURCES))
  for (const authority of AUTHORITIES)
    for (const [where, secretOf] of Object.entries(SECRETS))
      test(`${what}, ${authority}, ${where}: whatever fails, status is true and says what comes next`, async () => {
        for (const [health, ill] of Object.entries(HEALTH)) {
          const { clock, deps, scene, shown, status } = parts(resource, authority, secretOf(good, ended));
          ill(scene);
          const outcomes = [await lookOnce(deps)];
          // A second reconcile, as the next event or timer brings it, and one after the certificate has expired.
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

test('a request that is aborted at the end of the process is no failure of the authority', async () => {
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
