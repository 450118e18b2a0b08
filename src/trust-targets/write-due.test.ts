import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { bundle, first, owner } from '../../test/unit/trust-target.ts';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { ApiError } from '../errors.ts';
import type { Run } from '../queue/controller.ts';
import { type DesiredObject, idOf } from './desired.ts';
import type { TargetManifest } from './manifest.ts';
import { TargetsMemory } from './memory.ts';
import type { TargetsDeps } from './reconcile.ts';
import { surveyTargets } from './survey.ts';
import { writeDue } from './write-due.ts';

const objects = Array.from({ length: 40 }, (_, index): DesiredObject => {
  return { kind: 'ConfigMap', namespace: `shop-${index}`, name: 'client-ca', signerName: undefined };
});
const nothing = () => {};
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** One run over 40 objects that are missing, against an API server that answers so for those of these numbers. */
async function run(fails: (index: number) => boolean, answer: ApiError) {
  const clock = new FakeClock(new Date('2026-01-02T00:00:00Z'));
  const memory = new TargetsMemory();
  const written = new Set<number>();
  const indexOf = (namespace: string) => Number(namespace.slice('shop-'.length));
  const access = {
    apply: async (_kind: string, manifest: TargetManifest) => {
      const index = indexOf((manifest.metadata as { namespace?: string }).namespace ?? '');
      if (fails(index)) throw answer;
      written.add(index);
      return manifest;
    },
    put: nothing,
  };
  const deps = { clock, log: LOG, metrics: { targetWritten: nothing }, ownership: { assert: nothing }, access };
  const target = { name: 'gateways', kind: 'ConfigMap', object: 'client-ca', formats: [] } as never;
  const wanted = [{ target, objects, trouble: undefined, unreached: [] }];
  const seen = { view: () => undefined, unknown: () => undefined };
  const look = () => surveyTargets(owner, wanted, bundle(first), seen, { memory, now: clock.now() });
  const { isOutage } = await writeDue(
    owner as unknown as CertificateAuthority,
    look(),
    memory,
    deps as unknown as TargetsDeps,
    { signal: new AbortController().signal } as Run,
  );
  const [{ objects: surveyed = [] } = {}] = look().targets;
  return { isOutage, written, troubleOf: (index: number) => surveyed[index]?.trouble, memory };
}

test('an object for which the API server fails delays no other, and its status has the answer', async () => {
  const { isOutage, written, troubleOf } = await run(
    (index) => index % 10 === 3,
    new ApiError(500, 'InternalError', 'admission plugin "x" has crashed', { resource: 'configmaps' }),
  );
  assert.is(isOutage, false);
  assert.is(written.size, 36);
  assert.equal(troubleOf(3), {
    code: 'TrustTargetPending',
    message: 'ConfigMap shop-3/client-ca: the API server fails: admission plugin "x" has crashed',
  });
});

test('an object that a user of its namespace has filled up is named, with what to do', async () => {
  for (const message of [
    'etcdserver: request is too large',
    'rpc error: code = ResourceExhausted desc = trying to send message larger than max (3145710 vs. 2097152)',
  ]) {
    const answer = new ApiError(500, 'Unknown', message, { resource: 'configmaps' });
    const { isOutage, written, troubleOf } = await run((index) => index === 3, answer);
    assert.equal([isOutage, written.size], [false, 39]);
    assert.equal(troubleOf(3), {
      code: 'TrustTargetRefused',
      message: `ConfigMap shop-3/client-ca: ${message}; take out of it what is not needed, such as the keys of others`,
    });
  }
});

test('an API server that is away is not asked for each object', async () => {
  const away = await run(
    () => true,
    new ApiError(0, 'Timeout', 'no answer within 30000 ms', { resource: 'configmaps' }),
  );
  assert.is(away.isOutage, true);
  assert.ok(objects.every((each) => away.memory.of(idOf(each)).trouble === undefined));
  let asked = 0;
  const broken = await run(() => ++asked > 0, new ApiError(503, 'Unavailable', 'later', { resource: 'configmaps' }));
  assert.is(broken.isOutage, true);
  assert.ok(asked < 20, `${asked} objects`);
});

test.run();
