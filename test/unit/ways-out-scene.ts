/** One ClientCertificate with its authority and its Secret. A test can make each of its calls fail. */

import {
  type BrokenClientCertificate,
  type ClientCertificate,
  conditionsOf,
  parseClientCertificate,
} from '../../src/api/client-certificate.ts';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { StatusFields } from '../../src/api/stored-status.ts';
import type { NoAuthority } from '../../src/certificate/authority-view.ts';
import type { CertificateDeps } from '../../src/certificate/deps.ts';
import { Observed } from '../../src/certificate/observed.ts';
import { RecentActs } from '../../src/certificate/recent.ts';
import { reconcileCertificate } from '../../src/certificate/reconcile.ts';
import { UnpublishedCertificates } from '../../src/certificate/request/unpublished.ts';
import { secretManifest } from '../../src/certificate/secret/manifest.ts';
import type { EventText } from '../../src/certificate/status/events.ts';
import { encodePrivateKey, generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { ALLOWED } from '../../src/policy/permission.ts';
import { Buckets } from '../../src/queue/bucket.ts';
import type { Outcome, Run } from '../../src/queue/controller.ts';
import { SlowWork } from '../../src/queue/slow-work.ts';
import { Turnstile } from '../../src/queue/turnstile.ts';
import { root } from '../pki/make.ts';
import { aCertificate, after, DAY, HOUR, NOW, PROPAGATION_MS } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { requestDeps } from './next-store.ts';
import { anOwnAuthority, SILENT } from './own-authority.ts';
import { plainly } from './rendered.ts';
import { SecretStore, stored } from './secret-store.ts';

const years = after(4000 * DAY);
const ca = await root({ notBefore: after(-400 * DAY), notAfter: years });
export const KEY = 'team/client';
const ENDED_AT = after(-HOUR);

export type AuthorityState = NoAuthority | 'well' | 'busy' | 'in trouble';

export interface Scene {
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
  return stored(secretManifest(resource, plainly(data, resource), memory, undefined), 'uid-of-secret', '10');
}

export const good = await secretThatEnds(after(20 * HOUR));
export const ended = await secretThatEnds(ENDED_AT);

export function parts(resource: RawObject, authority: AuthorityState, secret: RawObject | undefined) {
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
    suggestions: { look: async () => undefined },
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
    requestedBy: () => 'unverified',
    revoke: () => {},
    hold: async () => {},
    deletions: new Map(),
    assertServed: async () => undefined,
    assertServedByFallback: async () => undefined,
    recent,
    log: SILENT,
    find: () => current,
    proveSecret: () => {},
    nextKey: () => undefined,
    isGone: async () => false,
    observe: async (each: ClientCertificate) => {
      if (scene.readError !== undefined) throw scene.readError;
      return new Observed({
        resource: each,
        authority: isKnown ? (view as typeof own.view) : authority,
        permission: ALLOWED,
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
    published() {},
    propagationMs: PROPAGATION_MS,
    metrics: {
      rotated: () => {},
      issuedByRule: () => {},
      fallbackIssued: () => {},
      failed: () => {},
      show: (_each, status) => void shown.push(status),
    },
  };
  return { clock, deps, events, scene, shown, status: () => current.status };
}

export const run: Run = { signal: new AbortController().signal, releaseWorker: (wait) => wait() };

export async function lookOnce(deps: CertificateDeps): Promise<Outcome | Error> {
  try {
    return await reconcileCertificate(KEY, deps, run);
  } catch (error) {
    return error as Error;
  }
}

export const ready = (status: StatusFields<'conditions'>) => conditionsOf(status).find(({ type }) => type === 'Ready');
