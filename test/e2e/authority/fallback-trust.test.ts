/** What an authority that is well trusts for the sake of its fallback. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ADOPT_ANNOTATION,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CONFIG_MAPS,
  ROTATE_CA_ANNOTATION,
  SECRETS,
} from '../../../src/api/names.ts';
import { patch, patchAuthority } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { subjectsIn, untilFallback } from '../support/lapsed.ts';
import { untilNextSecond } from '../support/moments.ts';
import {
  AT_ONCE,
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

const FLAGS = ['--trust-targets', 'configMaps', '--trust-propagation', '1s', '--kubelet-sync', '1s'];
const scene = oneScene({ authority: false, isHome: true, flags: FLAGS });
test.after(scene.stop);

test('the next CA of a fallback waits for the trust targets of the authority that names it', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const trust = { targets: [{ name: 'servers', configMap: { name: 'servers-ca' } }] };
  await createAuthority(world, selfManaged(namespace, 'reserve'));
  await createAuthority(world, selfManaged(namespace, 'ca', { fallback: { name: 'reserve' }, trust }));
  await untilFallback(world, namespace, 'True');
  const inTarget = async () => {
    const data = (await world.client.get(CONFIG_MAPS, namespace, 'servers-ca')) as { data?: Record<string, string> };
    return subjectsIn(data?.data?.['ca.crt']);
  };
  await eventually('the target has the CA of both', async () => (await inTarget()).length === 2);

  // From now on the target names a ConfigMap of others.
  await world.client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'foreign' }, data: { 'ca.crt': 'of others' } });
  const foreign = { targets: [{ name: 'servers', configMap: { name: 'foreign' } }] };
  await patchAuthority(world, namespace, 'ca', { spec: { trust: foreign } });
  await untilNextSecond();
  const annotations = { [ROTATE_CA_ANNOTATION]: new Date().toISOString() };
  await patchAuthority(world, namespace, 'reserve', { metadata: { annotations } });
  const rotating = async () => conditionOf(await authorityStatusOf(world, namespace, 'reserve'), 'Rotating');
  const waiting = await eventually('it waits', async () => {
    const found = await rotating();
    return found?.message.includes('ConfigMap') ? found : undefined;
  });
  assert.match(waiting.message, `ConfigMap ${namespace}/foreign`);

  const adopt = { metadata: { annotations: { [ADOPT_ANNOTATION]: 'ca' } } };
  await patch(world, CONFIG_MAPS, namespace, 'foreign', adopt);
  await eventually('the next CA signs', async () => {
    return (await authorityStatusOf(world, namespace, 'reserve')).activeGeneration === 2;
  });
});

test('a cluster authority keeps the CA of its fallback in the namespace of the controller, and when that is deleted', async () => {
  const { world, namespace: home } = await scene.get();
  const [tenant, name] = [await world.namespace(), `primary-${process.pid}`];
  const createCluster = (called: string, more: object) =>
    world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name: called },
      spec: {
        selfManaged: { commonName: called },
        caRotation: AT_ONCE,
        allowedNamespaces: { names: [tenant] },
        ...more,
      },
    });
  await createCluster(`${name}-reserve`, {});
  await createCluster(name, { fallback: { name: `${name}-reserve` } });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name };
  await create(world, clientCertificate(tenant, 'one', { authorityRef }));
  await untilReady(world, tenant, 'one');
  const trusted = async () => subjectsIn((await readSecret(world, tenant, 'one-tls'))?.bundle).sort();
  const both = [`CN=${name} v1`, `CN=${name}-reserve v1`].sort();
  await eventually('ca.crt has the CA of both', async () => (await trusted()).join() === both.join());
  const kept = await world.client.get(SECRETS, home, `${name}-clusterca-fallback`);
  const text = (key: string) => Buffer.from(kept?.data?.[key] ?? '', 'base64').toString();
  assert.equal(subjectsIn(text('own.crt')), [`CN=${name} v1`]);
  assert.equal(subjectsIn(text('fallback.crt')), [`CN=${name}-reserve v1`]);
  assert.not.match(JSON.stringify(kept?.data), Buffer.from('PRIVATE KEY').toString('base64').slice(0, 12));

  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, `${name}-reserve`);
  await eventually('that is reported', async () => {
    const found = await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name);
    const condition = conditionOf((found?.status ?? {}) as never, 'FallbackReady');
    return condition?.reason === 'AuthorityNotFound' && condition.message.includes('create it');
  });
  assert.equal(await trusted(), both);
  await untilReady(world, tenant, 'one');
});

test.run();
