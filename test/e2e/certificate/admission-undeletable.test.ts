import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { accountKubeconfig } from '../../chart/support/account.ts';
import { install, NAMESPACE } from '../../chart/support/helm.ts';
import { alterSecrets } from '../support/admission.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, create, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

// With the roles and the policies of the chart, which let the controller delete no Secret of a certificate.

/** For this long no further certificate is signed. Retries come after 1, 2 and 4 s. */
const QUIET_MS = 4_000;

const scene = oneScene({
  install: async (cluster) => void (await install(cluster)),
  flags: ['--controller-namespace', NAMESPACE],
  start: async ({ cluster }, flags) => startController(await accountKubeconfig(cluster), flags),
});
test.after(scene.stop);

test('a new Secret that admission altered and that cannot be deleted keeps no key, and status says how to delete it', async () => {
  const { world, controller, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'control'));
  await untilReady(world, namespace, 'control');
  const policy = await alterSecrets(world, namespace, 'JSONPatch{op: "remove", path: "/data/ca.crt"}', [
    '!has(object.metadata.labels) || !("certwheel.io/authority-name" in object.metadata.labels)',
    'has(object.data) && "ca.crt" in object.data',
  ]);
  await create(world, clientCertificate(namespace, 'new'));
  const told = () =>
    eventually('status tells that the Secret was altered', async () => {
      const { lastFailure } = await statusOf(world, namespace, 'new');
      return lastFailure?.reason === 'SecretAltered' && lastFailure.message;
    });
  const remedy = `delete it: kubectl delete secret -n ${namespace} new-tls`;
  const first = await told();
  assert.match(first, '(data.ca.crt)');
  assert.match(first, remedy);
  const secret = await world.client.get(SECRETS, namespace, 'new-tls');
  assert.equal([secret?.data?.['tls.crt'], secret?.data?.['tls.key']], ['', '']);
  await sleep(QUIET_MS);
  assert.match(await told(), remedy, 'as long as it is there');
  assert.ok(signatures(controller, namespace, 'new') <= 2, `${signatures(controller, namespace, 'new')} signatures`);
  await policy.lift();
  await untilReady(world, namespace, 'new');
});

test.run();
