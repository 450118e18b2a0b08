import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// The attack: a tenant fills the controller's memory with objects that are as large as the API server lets them be.

const flags = ['--namespace-share-mib', '1', '--namespace-authorities', '3'];
const scene = oneScene({ flags }, async ({ world, namespace: attacker }) => {
  const neighbour = await world.namespace();
  await createAuthority(world, selfManaged(neighbour));
  return { attacker, neighbour };
});
test.after(scene.stop);

/** 130 kB each, so that a mebibyte has room for seven. */
const LARGE = {
  secretTemplate: {
    annotations: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`a${index}`, 'x'.repeat(4_000)])),
  },
};

test('ClientCertificates beyond the share of their namespace are refused, and admitted once there is room', async () => {
  const { world, controller, attacker, neighbour } = await scene.get();
  const names = Array.from({ length: 12 }, (_, index) => `large-${index}`);
  for (const name of names) await create(world, clientCertificate(attacker, name, LARGE));
  const reasons = new Map<string, string>();
  await eventually('each has been looked at', async () => {
    for (const name of names) {
      const ready = conditionOf(await statusOf(world, attacker, name), 'Ready');
      if (ready?.status === 'True' || ready?.reason === 'NamespaceFull') reasons.set(name, ready.reason);
    }
    return reasons.size === names.length;
  });
  const refused = names.filter((name) => reasons.get(name) === 'NamespaceFull');
  assert.ok(refused.length >= 4 && refused.length <= 8, `${refused.length} of ${names.length}`);
  const [late = ''] = refused;
  const ready = conditionOf(await statusOf(world, attacker, late), 'Ready');
  assert.match(
    ready?.message ?? '',
    /take more than 1 MiB of memory together; delete some, or ask a cluster administrator to raise/,
  );
  assert.is(await world.client.get(SECRETS, attacker, `${late}-tls`), undefined);
  const metrics = await controller.metrics();
  assert.match(metrics, new RegExp(`certwheel_objects_left_out\\{watch="clientcertificates"\\} ${refused.length}\n`));
  assert.ok(controller.logs.some(({ message: text, namespace }) => /share/.test(text) && namespace === attacker));

  await create(world, clientCertificate(neighbour, 'client', {}));
  await untilReady(world, neighbour, 'client');
  for (const name of names) if (name !== late) await world.client.delete(CLIENT_CERTIFICATES, attacker, name);
  await world.apply(CLIENT_CERTIFICATES, {
    metadata: { namespace: attacker, name: late, labels: { touched: 'true' } },
  });
  await untilReady(world, attacker, late);
});

test('CertificateAuthorities beyond the number for a namespace are refused', async () => {
  const { world, attacker, neighbour } = await scene.get();
  const spec = { selfManaged: { commonName: 'one of many' } };
  for (let index = 0; index < 5; index += 1)
    await world.client.create(CERTIFICATE_AUTHORITIES, {
      metadata: { namespace: attacker, name: `ca-${index}` },
      spec,
    });
  const told = async (name: string) => conditionOf(await authorityStatusOf(world, attacker, name), 'Ready');
  await eventually('three are refused', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, (_, index) => told(`ca-${index}`)));
    return all.filter((each) => each?.reason === 'NamespaceFull').length === 3;
  });
  assert.match((await told('ca-4'))?.message ?? '', /has more than 3 CertificateAuthorities; delete some/);
  await create(world, clientCertificate(neighbour, 'another', {}));
  await untilReady(world, neighbour, 'another');
});

test.run();
