/**
 * https://github.com/kubeswift-io/kubeswift/issues/460 (also kubernetes-sigs/controller-runtime 1219): a watch that the API
 * server refuses never delivers a first list. What waits for that list waits for ever: no status, no event, and the process
 * can't be stopped.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resourcePath } from '../../../src/api/names.ts';
import { clusterUser } from '../process/support/access.ts';
import { patchAuthority } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  untilReady,
} from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { eventsOf } from '../support/recorded.ts';
import { eventually, oneWorld } from '../support/world.ts';

const USER = 'half-trusted';
const ROLES = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
} as const;

interface Rule {
  readonly resources?: readonly string[];
}

const shared = oneWorld({ own: true });
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  const kubeconfig = await clusterUser(world, USER);
  const api = plainApi(world.cluster);
  const path = resourcePath(ROLES, undefined, `certwheel-${USER}`);
  const { rules } = await api.send<{ rules: readonly Rule[] }>('GET', path);
  const put = (wanted: readonly Rule[]) => api.send('PATCH', path, { rules: wanted }, 'application/merge-patch+json');
  // Without ConfigMaps, which only an authority with a trustBundle needs.
  const others = rules.map(({ resources = [], ...rule }) => ({
    ...rule,
    resources: resources.filter((each) => each !== 'configmaps'),
  }));
  await put(others.filter(({ resources }) => resources.length > 0));
  const controller = world.launch([], kubeconfig);
  const namespace = await world.namespace();
  const kubernetesCSR = { signerName: 'example.com/signer', trustBundle: { configMap: { name: 'kube-root-ca.crt' } } };
  await createAuthority(world, { metadata: { namespace, name: 'ca' }, spec: { kubernetesCSR } } as never);
  await create(world, clientCertificate(namespace, 'alice'));
  return { world, controller, namespace, grant: () => put(rules) };
});

test('an authority whose ConfigMap can not be watched says so within seconds, and so does its certificate', async () => {
  const { world, namespace } = await scene.get();
  const ready = await eventually('the authority tells of the right that is missing', async () => {
    const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready');
    return found?.reason === 'BackendForbidden' && found;
  });
  assert.match(ready.message, /may not read ConfigMap .*kube-root-ca\.crt/);
  await untilReady(world, namespace, 'alice', { status: 'False', reason: 'AuthorityNotReady' });
  await eventually('an event tells', async () =>
    (await eventsOf(world, namespace, 'ca')).some(({ reason }) => reason === 'BackendForbidden'),
  );
});

test('a spec that was mended counts at once', async () => {
  const { world, namespace } = await scene.get();
  await patchAuthority(world, namespace, 'ca', {
    spec: { kubernetesCSR: null, selfManaged: { commonName: 'Mended' } },
  });
  await untilReady(world, namespace, 'alice');
  const kubernetesCSR = { signerName: 'example.com/signer', trustBundle: { configMap: { name: 'kube-root-ca.crt' } } };
  await patchAuthority(world, namespace, 'ca', { spec: { selfManaged: null, kubernetesCSR } });
  await eventually(
    'it is refused again',
    async () => conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready')?.reason === 'BackendForbidden',
  );
});

test('a right that is granted is noticed, and what the ConfigMap lacks is told instead', async () => {
  const { world, namespace, grant } = await scene.get();
  await grant();
  await eventually(
    'the missing ConfigMap is told',
    async () => conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready')?.reason === 'TrustBundleNotFound',
  );
});

test('the process stops in good order', async () => {
  const { controller } = await scene.get();
  assert.is(await controller.stop(), 0);
});

test.run();
