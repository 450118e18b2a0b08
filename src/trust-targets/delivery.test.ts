import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { object } from '../../test/unit/trust-target.ts';
import { type Delivery, podsBehind } from './delivery.ts';
import { viewPod } from './pods.ts';

const SINCE = new Date('2026-01-03T12:00:00Z');
const before = '2026-01-03T11:00:00Z';
const soon = '2026-01-03T12:01:00Z';
const after = '2026-01-03T12:03:00Z';

/** A Pod with one container `app`. */
function pod(
  spec: object,
  container: object,
  startTime: string | undefined,
  startedAt: string | undefined,
  rest: object = {},
) {
  const state = startedAt === undefined ? {} : { running: { startedAt } };
  return viewPod({
    metadata: { namespace: 'shop', name: 'server' },
    spec: { containers: [{ name: 'app', ...container }], ...spec },
    status: { startTime, containerStatuses: [{ name: 'app', state }] },
    ...rest,
  });
}

const volumes = [{ name: 'ca', configMap: { name: 'client-ca' } }];
const whole = { volumeMounts: [{ name: 'ca', mountPath: '/ca' }] };
const subPath = { volumeMounts: [{ name: 'ca', mountPath: '/ca.crt', subPath: 'ca.crt' }] };
const projected = [{ name: 'ca', projected: { sources: [{ configMap: { name: 'client-ca' } }] } }];
const environment = { env: [{ name: 'CA', valueFrom: { configMapKeyRef: { name: 'client-ca', key: 'ca.crt' } } }] };
const envFrom = { envFrom: [{ configMapRef: { name: 'client-ca' } }] };

function behind(...pods: ReturnType<typeof viewPod>[]) {
  const delivery: Delivery = {
    kubeletSyncMs: 120_000,
    seesPods: true,
    unknownPods: () => undefined,
    podsUsing: (id) => pods.filter(({ fixed }) => fixed.some((use) => use.id === id)),
  };
  return podsBehind(object, SINCE, delivery);
}

test('a volume is refreshed, and a subPath or the environment of an older Pod is not', () => {
  assert.equal(behind(pod({ volumes }, whole, before, before)), []);
  assert.equal(behind(pod({ volumes }, subPath, before, before)), ['Pod shop/server (subPath)']);
  assert.equal(behind(pod({ volumes: projected }, subPath, before, before)), ['Pod shop/server (subPath)']);
  assert.equal(behind(pod({}, environment, before, before)), ['Pod shop/server (environment)']);
  assert.equal(behind(pod({}, envFrom, before, before)), ['Pod shop/server (environment)']);
});

test('a Pod that started later has the new content, and so has a container that was started anew after the refresh', () => {
  assert.equal(behind(pod({ volumes }, subPath, soon, soon)), []);
  assert.equal(behind(pod({ volumes }, subPath, undefined, undefined)), [], 'one that has not started');
  assert.equal(behind(pod({ volumes }, subPath, before, after)), []);
  assert.equal(
    behind(pod({ volumes }, subPath, before, soon)),
    ['Pod shop/server (subPath)'],
    'too soon for the kubelet',
  );
});

test('Pods that have ended or are ending, and those of other objects, count for nothing', () => {
  const deleting = { metadata: { namespace: 'shop', name: 'server', deletionTimestamp: soon } };
  assert.equal(behind(pod({ volumes }, subPath, before, before, deleting)), []);
  const ended = { status: { phase: 'Failed', startTime: before } };
  assert.equal(behind(pod({ volumes }, subPath, before, before, ended)), []);
  const others = [{ name: 'ca', secret: { secretName: 'client-ca' } }];
  assert.equal(behind(pod({ volumes: others }, subPath, before, before)), []);
});

test.run();
