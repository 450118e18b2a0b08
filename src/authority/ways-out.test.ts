/**
 * Every combination of resource, backend, stored generation and failure, through the real reconcile with real CA pairs. The
 * API server and the machine behind a backend are stand-ins: no real ones can be brought into each state.
 */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairOf, root } from '../../test/pki/make.ts';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import { aRuntime } from '../../test/unit/a-runtime.ts';
import { bareAuthorityDeps } from '../../test/unit/bare-authority-deps.ts';
import { after, DAY, MINUTE, NOW, RUN } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import {
  type AnyCertificateAuthority,
  authorityConditions,
  authorityKey,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../api/certificate-authority.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { RawObject } from '../api/parse.ts';
import type { Backend, BackendDefinition } from '../backends/backend.ts';
import { secret } from '../backends/secret.ts';
import { OWN_CA_CAPABILITIES, ownCA } from '../backends/shared/own-ca.ts';
import { ApiError, AuthorityError, RetryableError } from '../errors.ts';
import type { CaPair } from '../pki/ca.ts';
import { signingGeneration } from '../rotation/generation.ts';
import type { AuthorityDeps } from './deps.ts';
import { reconcileAuthority } from './reconcile.ts';
import { Registry } from './registry.ts';

const nothing = () => {};
const stored = pairOf(await root({ commonName: 'Stored', notBefore: after(-DAY), notAfter: after(400 * DAY) }));
const another = pairOf(await root({ commonName: 'Another', notBefore: after(-DAY), notAfter: after(400 * DAY) }));
const ended = pairOf(await root({ commonName: 'Ended', notBefore: after(-9 * DAY), notAfter: after(-DAY) }));

const metadata = { namespace: 'ns', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 1 };
const spec = { secret: { name: 'pair' } };
const READY: AuthorityStatus = {
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Verified', message: '', lastTransitionTime: '2026-05-01T00:00:00Z' },
  ],
};
const RESOURCES: Readonly<Record<string, RawObject>> = {
  'a new one': { metadata, spec },
  'one that was ready': { metadata, spec, status: READY },
  'one that is being deleted': {
    metadata: { ...metadata, deletionTimestamp: '2026-06-01T11:00:00Z', finalizers: ['hold/it'] },
    spec,
    status: READY,
  },
  'one that makes no sense under the schema': { metadata, spec: { secret: {} }, status: READY },
};

const GENERATIONS: Readonly<Record<string, CaPair | undefined>> = {
  'no generation': undefined,
  'a good generation': stored,
  'a generation that has ended': ended,
};

interface Ills {
  /** What the source of the pair, the write of a generation, and a request to the backend fail with. */
  readonly source?: Error;
  readonly write?: Error;
  readonly request?: Error;
}
const refusal = (status: number, message: string) => new ApiError(status, 'Reason', message, { resource: 'secrets' });
const HEALTH: Readonly<Record<string, Ills>> = {
  'all well': {},
  'a Secret that is missing': { source: new AuthorityError('CASecretNotFound', 'there is no Secret pair') },
  'a source that may not be read': { source: new AuthorityError('BackendForbidden', 'may not read') },
  'a bug in the source': { source: new TypeError('x is undefined') },
  'a role that is missing': { write: refusal(403, 'secrets is forbidden: User "x" cannot patch resource "secrets"') },
  'a quota that is full': { write: refusal(403, 'exceeded quota: q') },
  'a webhook that is away': { write: refusal(500, 'failed calling webhook "w"') },
  'an object that is invalid': { write: refusal(422, 'Invalid value') },
  'an admission that alters it': { write: new RetryableError('SecretAltered', 'stored otherwise') },
  'another object of that name': { write: new AuthorityError('SecretNotOwned', 'the name is taken') },
  'an API server that is busy': { write: refusal(503, 'etcd is busy') },
  'a machine that is away': { request: new AuthorityError('AuthorityUnreachable', 'connection refused') },
  'a bug in the backend': { request: new TypeError('y is undefined') },
};

/** Whether Certwheel holds the key of the CA. */
const BACKENDS: Readonly<Record<string, boolean>> = { 'a backend with a key pair': true, 'a backend elsewhere': false };

function parts(raw: RawObject, isOwn: boolean, held: CaPair | undefined, ills: Ills) {
  const clock = new FakeClock(NOW);
  let generations = held === undefined ? [] : [aGeneration(1, 'Active', held, { since: after(-DAY) })];
  let current: AnyCertificateAuthority = parseCertificateAuthority('CertificateAuthority', structuredClone(raw));
  const shown: boolean[] = [];
  const definition = {
    ...secret,
    capabilities: { ...OWN_CA_CAPABILITIES, remote: !isOwn },
  } as BackendDefinition<never>;
  const own = ownCA({
    name: 'ns/ca',
    clock,
    log: SILENT,
    signing: () => signingGeneration(generations, clock.now()),
    trusted: () => generations.map(({ path }) => path),
  });
  const elsewhere: Backend = {
    check: async () => {
      if (ills.request !== undefined) throw ills.request;
    },
    trust: async () => ({ anchors: [another.anchor], intermediates: [] }),
    issue: () => Promise.reject(new Error('nothing is issued here')),
  };
  const backend: Backend = isOwn
    ? {
        ...own,
        check: async (signal) => {
          if (ills.request !== undefined) throw ills.request;
          return own.check(signal);
        },
        keyPair: async () => {
          if (ills.source !== undefined) throw ills.source;
          return another;
        },
      }
    : elsewhere;
  const deps: AuthorityDeps = {
    find: () => current,
    registry: new Registry(),
    slowWork: { run: (_key, _deadline, work) => work() },
    start: (resource) => aRuntime({ resource, definition, backend, clock }),
    generationSecrets: () => {
      const uids = generations.map(({ secret }) => secret.uid);
      return generations.map((each) => generationSecret(each, { mark: { uids, namespace: 'ns' } }));
    },
    members: () => [],
    consumers: () => [],
    trustStatus: () => undefined,
    crlCondition: () => [],
    crlProofs: () => [],
    createGeneration: async (_resource, { version, state, path, signer, since, source }) => {
      if (ills.write !== undefined) throw ills.write;
      generations = [...generations, aGeneration(version, state, { ...path, signer }, { since, source })];
    },
    writeGeneration: async (_resource, generation) => {
      if (ills.write !== undefined) throw ills.write;
      const kept = generations.filter(({ version }) => version !== generation.version);
      generations = [...kept, { ...generation, mark: 'whole' }];
    },
    deleteGeneration: async ({ version }) => {
      if (ills.write !== undefined) throw ills.write;
      generations = generations.filter((each) => each.version !== version);
    },
    writeStatus: async (_resource, status) => {
      current = parseCertificateAuthority('CertificateAuthority', structuredClone({ ...raw, status }));
    },
    recordEvent: nothing,
    ...bareAuthorityDeps(),
    wakeCertificates: nothing,
    wakeReleased: nothing,
    metrics: {
      show: (_resource, isReady) => void shown.push(isReady),
      showRotation: nothing,
      showRevocations: nothing,
      overruled: nothing,
      showDemand: nothing,
      showFallback: nothing,
      hide: nothing,
    },
    ownership: { assert: nothing },
    trustPropagationMs: MINUTE,
    controllerNamespace: 'certwheel',
    proofs: () => [],
    clock,
    log: SILENT,
  };
  return { clock, deps, shown, generations: () => generations, resource: () => current };
}

for (const [what, raw] of Object.entries(RESOURCES))
  for (const [whose, isOwn] of Object.entries(BACKENDS))
    for (const [kept, pair] of Object.entries(GENERATIONS))
      for (const [health, ills] of Object.entries(HEALTH))
        test(`${what}, ${whose}, ${kept}, ${health}: status is true and says what comes next`, async () => {
          const { clock, deps, shown, generations, resource } = parts(raw, isOwn, pair, ills);
          const key = authorityKey(resource());
          let last: Awaited<ReturnType<typeof reconcileAuthority>> | Error | undefined;
          for (let look = 0; look < 6; look++) {
            last = await reconcileAuthority(key, deps, RUN).catch((error: unknown) => error as Error);
            clock.jump(MINUTE);
          }
          const now = clock.now();
          const conditions = authorityConditions(resource().status);
          const ready = conditions.find(({ type }) => type === 'Ready');
          const told = JSON.stringify([last, conditions]);
          const signs = signingGeneration(generations(), now) !== undefined;
          const view = deps.registry.get(key)?.view;
          assert.ok(shown.length > 0 || last instanceof Error, `no series; ${told}`);
          if (last instanceof Error) {
            assert.is(ills.write instanceof ApiError && ills.write.status, 503, told);
            return;
          }
          if (isBrokenAuthority(resource())) {
            assert.equal([ready?.status, ready?.reason, shown.at(-1)], ['False', 'InvalidSpec', false], told);
            return;
          }
          const isWell = isOwn ? signs && ills.request === undefined : ills.request === undefined;
          assert.is(ready?.status, isWell ? 'True' : 'False', told);
          assert.is(shown.at(-1), isWell, told);
          assert.is(view?.trouble === undefined, isWell, 'and certificates are told the same');
          if (resource().deleting !== undefined) assert.match(ready?.message ?? '', 'hold/it');
          const isIll = (isOwn && (ills.source ?? ills.request) !== undefined) || ready?.status === 'False';
          if (isIll) {
            assert.ok(ready?.status === 'False' || conditions.some(({ type }) => type === 'Stalled'), told);
            assert.ok(last?.do === 'again' || last?.do === 'retry' || last?.recheckAt !== undefined, told);
          }
        });

test.run();
