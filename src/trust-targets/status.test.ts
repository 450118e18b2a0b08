import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle, first, object, owner, second, stored, stranger } from '../../test/unit/trust-target.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import type { Delivery } from './delivery.ts';
import { TargetsMemory } from './memory.ts';
import { targetProofs } from './proofs.ts';
import { trustStatus } from './status.ts';
import { surveyTargets } from './survey.ts';
import type { TargetView } from './view.ts';

const NO_PODS: Delivery = {
  kubeletSyncMs: 120_000,
  seesPods: false,
  unknownPods: () => undefined,
  podsUsing: () => [],
};
const NOW = new Date('2026-01-03T00:00:00Z');
const target: TrustTarget = {
  name: 'gateways',
  kind: 'ConfigMap',
  object: 'client-ca',
  signerName: undefined,
  formats: [],
  namespaces: { all: true },
  requiredProof: 'Written',
};

/** A survey of objects in so many namespaces; `views` is what is there. */
function survey(views: readonly (TargetView | undefined)[], wanted = bundle(first, second)) {
  const objects = views.map((_, index) => ({ ...object, namespace: `ns-${index}` }));
  const seen = {
    view: ({ namespace }: { namespace: string }) => views[Number(namespace.slice(3))],
    unknown: () => undefined,
  };
  const desired = [{ target, objects, trouble: undefined, unreached: [] }];
  return surveyTargets(owner, desired, wanted, seen, { memory: new TargetsMemory(), now: NOW });
}

/** An object that holds a bundle, in the namespace of that index. */
function at(index: number, held: ReturnType<typeof bundle>): TargetView {
  const namespace = `ns-${index}`;
  return { ...stored(held, NOW), namespace, mark: `uid-1/${namespace}/client-ca` };
}

test('status counts the objects and names what all of them hold', () => {
  const both = bundle(first, second);
  const { targets: [status] = [] } = trustStatus(
    survey([at(0, both), at(1, both), at(2, bundle(first)), undefined]),
    NO_PODS,
    NOW,
  );
  assert.is(status?.objects, 4);
  assert.is(status?.holding, 2);
  assert.equal(status?.fingerprintsSHA256, [first.fingerprintSHA256]);
  assert.equal(
    status?.waiting?.map((each) => each.object),
    ['ns-2/client-ca', 'ns-3/client-ca'],
  );
});

test('strangers are named, and the size of status does not grow with the objects', () => {
  const views = Array.from({ length: 1_000 }, (_, index) => at(index, bundle(first, stranger)));
  const status = trustStatus(survey(views, bundle(first)), NO_PODS, NOW);
  assert.equal(status.targets?.[0]?.strangers, [stranger.fingerprintSHA256]);
  assert.is(status.targets?.[0]?.waiting?.length, 5);
  assert.ok(JSON.stringify(status).length < 2_000, JSON.stringify(status).length.toString());
});

test('a target that is written leaves nothing to write, and one object is written once for two targets', () => {
  assert.is(survey([at(0, bundle(first))], bundle(first)).writes.size, 0);
  const one = survey([undefined]);
  const [desired] = one.targets;
  const objects = desired?.objects.map((each) => each.object) ?? [];
  const wanted = [target, { ...target, name: 'same' }].map((each) => ({
    target: each,
    objects,
    trouble: undefined,
    unreached: [],
  }));
  const seen = { view: () => undefined, unknown: () => undefined };
  const twice = surveyTargets(owner, wanted, bundle(first), seen, { memory: new TargetsMemory(), now: NOW });
  assert.is(twice.writes.size, 1);
});

test('each object proves the certificates that it holds, and says what it waits for', () => {
  const resource = { ...owner, trustTargets: [target] };
  const proofs = (fingerprint: string) =>
    targetProofs(resource, survey([at(0, bundle(first)), undefined]), fingerprint, NO_PODS, NOW).map(
      ({ subject, since, waiting }) => [subject, since?.toISOString(), waiting],
    );
  assert.equal(proofs(first.fingerprintSHA256), [
    ['ConfigMap ns-0/client-ca', NOW.toISOString(), undefined],
    ['ConfigMap ns-1/client-ca', undefined, 'it has not been written yet'],
  ]);
  assert.equal(
    proofs(second.fingerprintSHA256).map(([, since]) => since),
    [undefined, undefined],
  );
  const unknown = targetProofs(resource, undefined, first.fingerprintSHA256, NO_PODS, NOW);
  assert.equal(
    unknown.map(({ since, waiting }) => [since, waiting]),
    [[undefined, 'they are not known yet']],
  );
  const former = targetProofs(
    { ...resource, generation: 2 },
    survey([at(0, bundle(first))]),
    first.fingerprintSHA256,
    NO_PODS,
    NOW,
  );
  assert.equal(
    former.map(({ since, waiting }) => [since, waiting]),
    [[undefined, 'they are not known yet']],
    'of a former spec',
  );
  assert.equal(targetProofs({ ...resource, trustTargets: [] }, undefined, first.fingerprintSHA256, NO_PODS, NOW), []);
});

test('what must be delivered is proven once the kubelet has had its time, and not while a Pod has the former content', () => {
  const delivered = { ...target, requiredProof: 'Delivered' } as const;
  const resource = { ...owner, trustTargets: [delivered] };
  const found = survey([at(0, bundle(first))], bundle(first));
  const targets = found.targets.map((each) => ({ ...each, target: delivered }));
  const of = (delivery: Delivery, now: Date) => {
    const [proof] = targetProofs(resource, { ...found, targets }, first.fingerprintSHA256, delivery, now);
    return [proof?.since?.toISOString(), proof?.waiting];
  };
  const later = new Date('2026-01-03T00:02:00Z');
  assert.equal(of(NO_PODS, NOW), [
    undefined,
    'the kubelet has until 2026-01-03T00:02:00Z to bring it into the Pods that mount it',
  ]);
  assert.equal(of(NO_PODS, later), [later.toISOString(), undefined]);
  const started = NOW.getTime() - 1;
  const fixed = [{ id: 'ConfigMap/ns-0/client-ca', how: 'subPath', startedMs: started }] as const;
  const pod = { namespace: 'ns-0', name: 'server', startedMs: started, fixed };
  const [since, waiting = ''] = of({ ...NO_PODS, seesPods: true, podsUsing: () => [pod] }, later);
  assert.is(since, undefined);
  assert.match(waiting, 'Pod ns-0/server (subPath) started before it was written');
  const unread = { code: 'TrustTargetPending', message: 'not read' } as const;
  assert.equal(of({ ...NO_PODS, seesPods: true, unknownPods: () => unread }, later), [undefined, 'not read']);
});

test.run();
