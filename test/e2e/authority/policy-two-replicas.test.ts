import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientCertificateStatus } from '../../../src/api/generated/types.ts';
import {
  CERTIFICATE_APPROVALS,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  type Resource,
  resourcePath,
} from '../../../src/api/names.ts';
import { failWatch } from '../kube/fail-watch.ts';
import { startFaultProxy } from '../kube/fault-proxy.ts';
import { writesTo } from '../process/support/audit.ts';
import { decide } from '../support/approvals.ts';
import { type ControllerProcess, startController } from '../support/controller-process.ts';
import { renewAt } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules, setRules } from '../support/rules.ts';
import { type Sighting, witness } from '../support/witness.ts';
import { oneWorld } from '../support/world.ts';

// Two active replicas, of which one can't watch the rules or the approvals, and remembers those of before.

const shared = oneWorld();
test.after(shared.stop);

/** For this long both replicas write what they like. */
const WATCHED_MS = 6_000;

const home = lazily(async () => ({ name: await (await shared.get()).namespace() }));

/** Two replicas, the first by way of a proxy. */
async function pair() {
  const world = await shared.get();
  const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
  const flags = ['--controller-namespace', (await home.get()).name, '--approvals'];
  const first = startController(proxy.kubeconfigPath, flags);
  const [deaf, other] = await Promise.all([first, world.controller(flags)]);
  return { proxy, deaf, replicas: [deaf, other] };
}

const signed = (replicas: readonly ControllerProcess[], namespace: string, name: string) =>
  replicas.reduce((sum, each) => sum + signatures(each, namespace, name), 0);

/** A namespace with an authority of the same name and an issued certificate. */
async function issued(rule: object) {
  const world = await shared.get();
  const namespace = await world.namespace();
  const rules = [{ name: 'clients', namespaces: { all: true }, commonNames: ['*'], ...rule }];
  const authorityRef = await authorityWithRules(world, namespace, rules);
  await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  let approval = '';
  if ('approval' in rule) {
    await untilReady(world, namespace, 'client', { status: 'False', reason: 'ApprovalPending' });
    approval = (await decide(world, namespace, 'client')).metadata?.name ?? '';
  }
  await untilReady(world, namespace, 'client');
  return { world, namespace, approval };
}

interface Change {
  readonly rule: object;
  readonly resource: Resource;
  readonly change: (place: Awaited<ReturnType<typeof issued>>) => Promise<unknown>;
  readonly reason: string;
}

/** What the conditions have said, each once. */
function messagesIn(versions: readonly Sighting[]): ReadonlySet<string> {
  const conditions = versions.flatMap(({ object }) => (object.status as ClientCertificateStatus)?.conditions ?? []);
  return new Set(conditions.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`));
}

const CHANGES: Readonly<Record<string, Change>> = {
  'whose rule was removed': {
    rule: {},
    resource: CLUSTER_CERTIFICATE_AUTHORITIES,
    change: ({ world, namespace }) => setRules(world, namespace, []),
    reason: 'DeniedByPolicy',
  },
  'whose authority was deleted': {
    rule: {},
    resource: CLUSTER_CERTIFICATE_AUTHORITIES,
    change: ({ world, namespace }) => world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, namespace),
    reason: 'AuthorityNotFound',
  },
  'whose approval was deleted': {
    rule: { approval: 'Required' },
    resource: CERTIFICATE_APPROVALS,
    change: ({ world, namespace, approval }) => world.client.delete(CERTIFICATE_APPROVALS, namespace, approval),
    reason: 'ApprovalPending',
  },
  'that was denied': {
    rule: { approval: 'Required' },
    resource: CERTIFICATE_APPROVALS,
    change: async ({ world, namespace }) => {
      // Times of creation are in whole seconds.
      await untilNextSecond();
      await decide(world, namespace, 'client', { decision: 'Denied' });
    },
    reason: 'ApprovalDenied',
  },
};

for (const [sentence, { rule, resource, change, reason }] of Object.entries(CHANGES))
  test(`no replica renews a certificate ${sentence}, and they don't undo each other's status`, async () => {
    const { proxy, deaf, replicas } = await pair();
    const place = await issued(rule);
    const { world, namespace } = place;
    const before = signed(replicas, namespace, 'client');
    await failWatch(proxy, deaf, resource);
    const seen = await witness(world, resourcePath(CLIENT_CERTIFICATES, namespace));
    await change(place);
    await renewAt(world, namespace, 'client');
    const since = new Date();
    await eventually('a replica says so', async () => {
      const { conditions = [] } = await statusOf(world, namespace, 'client');
      return conditions.some((each) => each.reason === reason);
    });
    await sleep(WATCHED_MS);
    const status = await statusOf(world, namespace, 'client');
    assert.equal([conditionOf(status, 'Ready')?.status, status.revision], ['True', 1]);
    assert.is(signed(replicas, namespace, 'client'), before);
    const writes = await writesTo(world, 'clientcertificates/status', namespace, 'client');
    const late = writes.filter((each) => each > since).length;
    assert.ok(
      late <= 6,
      `${late} writes of the status in ${WATCHED_MS} ms:\n${[...messagesIn(seen.all())].join('\n')}`,
    );
    for (const each of replicas) await each.stop();
  });

test.run();
