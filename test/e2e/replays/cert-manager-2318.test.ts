/**
 * https://github.com/cert-manager/cert-manager/issues/2318: after a namespace was restored from a backup, everything in it is
 * issued again at once, although the restored certificates are valid; and what was decided on before is decided anew.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CERTIFICATE_APPROVALS,
  CLIENT_CERTIFICATES,
  NAMESPACES,
  type Resource,
  SECRETS,
} from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { numbered } from '../process/support/fleet.ts';
import { decide } from '../support/approvals.ts';
import { patchSecret, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ['--approvals'] });
test.after(scene.stop);

const RULES = [{ name: 'seen', namespaces: { all: true }, commonNames: ['*'], approval: 'Required' }];
const NAMES = numbered(3);

/** As a tool for backups stores it and brings it back: without what the API server gives. */
function restored({ metadata, spec, data, type }: RawObject): RawObject {
  const { name, namespace, labels, annotations } = metadata ?? {};
  return {
    metadata: { name, namespace, labels, annotations },
    ...(spec ? { spec } : {}),
    ...(data ? { data, type } : {}),
  } as RawObject;
}

async function all({ client }: World, resource: Resource, namespace: string): Promise<readonly RawObject[]> {
  return (await client.list(resource, { namespace })).items;
}

test('restored approvals are of an earlier uid: nothing is signed until each request is approved again', async () => {
  const { world, controller, namespace: home } = await scene.get();
  const authorityRef = await authorityWithRules(world, home, RULES);
  const namespace = await world.namespace();
  for (const name of NAMES) {
    await create(world, clientCertificate(namespace, name, { authorityRef, deletionPolicy: 'Retain' }));
    await untilReady(world, namespace, name, { status: 'False', reason: 'ApprovalPending' });
    await decide(world, namespace, name);
    await untilReady(world, namespace, name);
  }
  const kinds = [SECRETS, CERTIFICATE_APPROVALS, CLIENT_CERTIFICATES];
  const backup = await Promise.all(kinds.map((kind) => all(world, kind, namespace)));
  for (const kind of kinds.toReversed())
    for (const { metadata } of await all(world, kind, namespace))
      await world.client.delete(kind, namespace, metadata?.name ?? '');
  await world.client.delete(NAMESPACES, undefined, namespace);
  const api = plainApi(world.cluster);
  const gone = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: { finalizers: [] } };
  await api.send('PUT', `/api/v1/namespaces/${namespace}/finalize`, gone);
  await world.client.create(NAMESPACES, { metadata: { name: namespace } });
  for (const [index, kind] of kinds.entries())
    for (const each of backup[index] ?? []) await world.client.create(kind, restored(each) as never);

  const before = new Map<string, string | undefined>();
  for (const name of NAMES) {
    // The Secret is handed over by a person, as for every restore.
    await untilReady(world, namespace, name, { status: 'False', reason: 'SecretNotOwned' });
    before.set(name, (await readSecret(world, namespace, `${name}-tls`))?.leaf.serialNumber);
    await patchSecret(world, namespace, `${name}-tls`, { metadata: { annotations: { 'certwheel.io/adopt': name } } });
    await renewAt(world, namespace, name);
  }
  for (const name of NAMES)
    await eventually(`${name} waits for an approval`, async () => {
      const { conditions = [] } = await statusOf(world, namespace, name);
      return conditions.some(({ reason }) => reason === 'ApprovalPending');
    });
  await sleep(QUIET_MS);
  for (const name of NAMES) {
    assert.is(signatures(controller, namespace, name), 1, 'from before the restore');
    assert.is((await readSecret(world, namespace, `${name}-tls`))?.leaf.serialNumber, before.get(name));
    await decide(world, namespace, name);
    await eventually('it is renewed', () => signatures(controller, namespace, name) === 2);
    await untilReady(world, namespace, name);
  }
});

test.run();
