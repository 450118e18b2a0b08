import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMESPACES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { patch, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

// The attack: a service admits clients by OU=finance, and a tenant of another namespace asks for such a certificate, or for a
// name of a namespace of finance. The authority is the one of examples/issuance-policy, applied as it stands.

const EXAMPLE = join(import.meta.dirname, '../../../examples/issuance-policy/authority.yaml');
const OF_FINANCE = { subject: { organizationalUnits: ['finance'] } };
const BY = { authorityRef: { kind: 'ClusterCertificateAuthority', name: 'teams' }, duration: '1h' };

// The example names a cluster authority.
const scene = oneScene({ own: true, authority: false, isHome: true }, async ({ world }) => {
  await world.cluster.kubectl(['apply', '-f', EXAMPLE]);
  await untilClusterAuthority(world, 'teams');
  const served = { 'example.com/teams': 'yes' };
  const finance = await world.namespace({ ...served, 'example.com/department': 'finance' });
  return { finance, shop: await world.namespace(served) };
});
test.after(scene.stop);

const spiffe = (namespace: string) => `spiffe://example.com/ns/${namespace}/sa/ledger`;

test('a namespace of finance has OU=finance, until it is no longer one', async () => {
  const { world, controller, finance } = await scene.get();
  const names = { commonName: `${finance}.ledger`, uris: [spiffe(finance)] };
  await create(world, clientCertificate(finance, 'ledger', { ...BY, ...OF_FINANCE, ...names }));
  await untilReady(world, finance, 'ledger');
  assert.match((await readSecret(world, finance, 'ledger-tls'))?.leaf.subject ?? '', /^OU=finance$/m);

  const label = (department: string | null) =>
    patch(world, NAMESPACES, undefined, finance, { metadata: { labels: { 'example.com/department': department } } });
  await label(null);
  await untilReady(world, finance, 'ledger', { type: 'Stalled', reason: 'DeniedByPolicy' });
  await renewAt(world, finance, 'ledger');
  await sleep(QUIET_MS);
  assert.is(signatures(controller, finance, 'ledger'), 1);
  await label('finance');
});

test('another namespace has its own names, and neither OU=finance nor a name of finance', async () => {
  const { world, controller, finance, shop } = await scene.get();
  const wishes = {
    unit: [{ commonName: `${shop}.a`, ...OF_FINANCE }, 'rule own-names allows no subject.organizationalUnits'],
    'unit-alone': [{ uris: [spiffe(shop)], ...OF_FINANCE }, 'rule own-names allows no subject.organizationalUnits'],
    name: [{ commonName: `${finance}.ledger` }, `but "${shop}.*"`],
    // Of a namespace whose name begins as this one does.
    longer: [{ commonName: `${shop}-eu.ledger` }, `but "${shop}.*"`],
    uri: [{ commonName: `${shop}.a`, uris: [spiffe(finance)] }, 'rule own-names does not allow "spiffe://'],
  } satisfies Record<string, [object, string]>;
  for (const [name, [spec]] of Object.entries(wishes)) {
    const { commonName } = { commonName: undefined, ...spec };
    await create(world, clientCertificate(shop, name, { ...BY, ...spec, commonName }));
  }
  for (const [name, [, why]] of Object.entries(wishes)) {
    const status = await untilReady(world, shop, name, { status: 'False', reason: 'DeniedByPolicy' });
    const message = conditionOf(status, 'Ready')?.message ?? '';
    assert.match(message, why);
    assert.not.match(message, 'rule finance', 'rules of other namespaces are not shown');
    assert.is(signatures(controller, shop, name), 0);
    assert.is(await readSecret(world, shop, `${name}-tls`), undefined);
  }
  const own = { commonName: `${shop}.checkout`, uris: [spiffe(shop)] };
  await create(world, clientCertificate(shop, 'own', { ...BY, ...own }));
  await untilReady(world, shop, 'own');
});

test.run();
