/**
 * https://github.com/cert-manager/approver-policy/issues/891: with a selector by labels, all requests stay undecided, since
 * the namespace is read in another form than the one that is watched; a selector by names works.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMESPACES } from '../../../src/api/names.ts';
import { clusterUser, SYSTEM_NAMESPACE } from '../process/support/access.ts';
import { requestsOf } from '../process/support/audit.ts';
import { startController } from '../support/controller-process.ts';
import { patch } from '../support/edits.ts';
import { clientCertificate, create, statusOf, untilReady } from '../support/objects.ts';
import { authorityWithRules } from '../support/rules.ts';
import { eventually, oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

const ACCOUNT = 'replaying-891';
const RULES = [
  { name: 'by-label', namespaces: { selector: { matchLabels: { allow: 'all' } } }, commonNames: ['*'] },
  { name: 'by-name', namespaces: { names: ['elsewhere'] }, commonNames: ['*'] },
];

test('with the rights of the chart alone, a rule by labels decides at once, and follows the label', async () => {
  const world = await shared.get();
  const kubeconfig = await clusterUser(world, ACCOUNT);
  await startController(kubeconfig, ['--controller-namespace', SYSTEM_NAMESPACE]);
  const [labelled, bare] = [await world.namespace({ allow: 'all' }), await world.namespace()];
  const authorityRef = await authorityWithRules(world, labelled, RULES);
  for (const namespace of [labelled, bare])
    await create(world, clientCertificate(namespace, 'client', { authorityRef }));
  await untilReady(world, labelled, 'client');
  await untilReady(world, bare, 'client', { status: 'False', reason: 'DeniedByPolicy' });
  await patch(world, NAMESPACES, undefined, bare, { metadata: { labels: { allow: 'all' } } });
  await untilReady(world, bare, 'client');
  await patch(world, NAMESPACES, undefined, labelled, { metadata: { labels: { allow: null } } });
  await eventually('the label is gone', async () => {
    const { conditions = [] } = await statusOf(world, labelled, 'client');
    return conditions.some(({ reason }) => reason === 'DeniedByPolicy');
  });
  const refused = (await requestsOf(world, ACCOUNT)).filter(({ responseStatus }) => responseStatus?.code === 403);
  assert.equal(
    refused.map(({ requestURI }) => requestURI),
    [],
  );
});

test.run();
