import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVENTS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { EventRecorder, type Regarding } from '../../../src/kube/events.ts';
import { type ControlPlane, shareControlPlane } from '../../cluster/control-plane.ts';
import { stopAll } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { applyCrds } from '../support/world.ts';
import { type Connected, connect, logger, newNamespace } from './fixture.ts';
import { OwnClock } from './own-clock.ts';

const test = suite('events');

let cluster: ControlPlane;
let direct: Connected;
let namespace: string;

const started = lazily(() => shareControlPlane([], applyCrds));
test.before.each(async () => {
  cluster = await started.get();
  direct ??= connect(cluster.kubeconfigPath);
  namespace ??= await newNamespace(direct.client);
});
test.after(stopAll);

type StoredEvent = RawObject & {
  note: string;
  reportingController: string;
  series?: { count: number; lastObservedTime: string };
};

async function recorded(name: string, space = namespace): Promise<StoredEvent[]> {
  const { items } = await direct.client.list<StoredEvent>(EVENTS, {
    namespace: space,
    fieldSelector: `regarding.name=${name}`,
  });
  return [...items];
}

function certificate(name: string): Regarding {
  return { apiVersion: 'certwheel.io/v1alpha1', kind: 'ClientCertificate', namespace, name, uid: `uid-of-${name}` };
}

test('an event is accepted and shown by kubectl', async () => {
  const recorder = new EventRecorder({ client: direct.client, clock: new OwnClock(), logger, instance: 'certwheel-0' });
  recorder.record({
    regarding: certificate('billing'),
    type: 'Warning',
    reason: 'AuthorityUnavailable',
    action: 'Issue',
    note: 'no answer',
  });
  await recorder.flush();
  const [event] = await recorded('billing');
  assert.is(event?.note, 'no answer');
  assert.is(event?.reportingController, 'certwheel.io/controller');
  const { stdout } = await cluster.kubectl(['get', 'events', '-n', namespace]);
  assert.match(stdout, /Warning\s+AuthorityUnavailable\s+clientcertificate\/billing\s+no answer/);
});

test('a repetition becomes a series of the same event', async () => {
  const clock = new OwnClock();
  const recorder = new EventRecorder({ client: direct.client, clock, logger, instance: 'certwheel-0' });
  for (let index = 0; index < 4; index++) {
    recorder.record({
      regarding: certificate('orders'),
      type: 'Warning',
      reason: 'Failed',
      action: 'Issue',
      note: 'again',
    });
    await recorder.flush();
    clock.aheadMs += 110_000;
  }
  const events = await recorded('orders');
  assert.is(events.length, 1);
  assert.is(events[0]?.series?.count, 4);
  assert.match(events[0]?.series?.lastObservedTime ?? '', /\.\d{6}Z$/);
});

test('an event about something without a namespace is accepted too', async () => {
  const recorder = new EventRecorder({ client: direct.client, clock: new OwnClock(), logger, instance: 'certwheel-0' });
  const regarding = {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'ClusterCertificateAuthority',
    name: 'root',
    uid: 'uid-of-root',
  };
  recorder.record({ regarding, type: 'Normal', reason: 'Ready', action: 'Check', note: 'reached' });
  await recorder.flush();
  assert.is((await recorded('root', 'default')).length, 1);
});

test.run();
