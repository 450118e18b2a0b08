import { test } from 'uvu';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES } from '../../../src/api/names.ts';
import { conditionOf } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';

// As a controller runs that was started from the sources, where nobody has created the namespace of its Secrets.

const worlds = oneWorld();
test.after(worlds.stop);

test('without the namespace of its Secrets a cluster authority says so, and goes on once that is created', async () => {
  const world = await worlds.get();
  const home = `absent-${process.pid}`;
  await world.controller(['--controller-namespace', home]);
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: home },
    spec: { selfManaged: { commonName: home } },
  });
  const ready = async () => {
    const found = await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, home);
    return conditionOf((found?.status ?? {}) as AuthorityStatus, 'Ready');
  };
  await eventually('the status names the namespace', async () => {
    const { reason, message = '' } = (await ready()) ?? {};
    return reason === 'AuthorityMisconfigured' && message.includes(`create it with: kubectl create namespace ${home} `);
  });
  await world.client.create(NAMESPACES, { metadata: { name: home } });
  await eventually('it is Ready', async () => (await ready())?.status === 'True');
});

test.run();
