import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { ensureNamespace, SYSTEM_NAMESPACE } from '../process/support/access.ts';
import { oneBrokenWorld } from '../process/support/broken.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';

// The attack: a namespace that a rule leaves out by a label, and a ClientCertificate in it that the controller sees before it
// sees the namespace.

const shared = oneBrokenWorld();
test.after(shared.stop);

test('no organization is issued to a namespace whose labels are not known yet', async () => {
  const { world, proxy, controller } = await shared.get();
  // For the CA of the authority.
  await ensureNamespace(world, SYSTEM_NAMESPACE);
  const selector = { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tenant'] }] };
  const names = { commonNames: ['*'] };
  const rules = [
    { name: 'plain', namespaces: { all: true }, ...names },
    { name: 'platform', namespaces: { selector }, ...names, subject: { organizations: ['platform-admins'] } },
  ];
  const spec = { selfManaged: { commonName: 'Teams' }, allowedNamespaces: { all: true }, issuancePolicy: { rules } };
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name: 'teams' }, spec });
  await untilClusterAuthority(world, 'teams');
  const asking = {
    authorityRef: { kind: 'ClusterCertificateAuthority', name: 'teams' },
    subject: { organizations: ['platform-admins'] },
  };

  const watches = proxy.watches(({ path }) => path === '/api/v1/namespaces');
  assert.ok(watches.length > 0);
  for (const watch of watches) watch.freeze();
  const [tenant, platform] = [await world.namespace({ tier: 'tenant' }), await world.namespace({ tier: 'platform' })];
  for (const namespace of [tenant, platform]) {
    await create(world, clientCertificate(namespace, 'client', asking));
    await create(world, clientCertificate(namespace, 'plain', { authorityRef: asking.authorityRef }));
  }
  for (const namespace of [tenant, platform]) {
    const status = await untilReady(world, namespace, 'client', { status: 'False', reason: 'AuthorityNotReady' });
    assert.match(
      conditionOf(status, 'Ready')?.message ?? '',
      `labels of namespace ${namespace}, which are not known yet`,
    );
    // The control: a certificate that needs no rule does not wait for labels.
    await untilReady(world, namespace, 'plain');
  }
  await sleep(QUIET_MS);
  assert.equal(
    [tenant, platform].map((namespace) => signatures(controller, namespace, 'client')),
    [0, 0],
  );

  for (const watch of watches) watch.cut();
  await untilReady(world, platform, 'client');
  await untilReady(world, tenant, 'client', { status: 'False', reason: 'DeniedByPolicy' });
  assert.is(await readSecret(world, tenant, 'client-tls'), undefined);
  assert.is(signatures(controller, tenant, 'client'), 0);
});

test.run();
