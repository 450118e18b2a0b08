import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { patch, renewAt } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { applyWithoutRules } from '../support/older-crds.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a tenant requests the names of another namespace of the same authority, in every spelling that a verifier might
// read as that name. The CRDs have no CEL rules, since stored objects may be older than these.

const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'teams' };
const rules = [
  {
    name: 'own-names',
    namespaces: { selector: { matchLabels: { team: 'yes' } } },
    commonNames: ['{namespace}.*', '*'],
    dnsNames: ['*.{namespace}.svc'],
    uris: ['spiffe://example.com/ns/{namespace}/sa/*', 'https://example.com/{namespace}/*'],
    emailAddresses: ['*@{namespace}.example.com'],
    ipAddresses: ['10.7.0.0/16'],
  },
];
const scene = oneScene(
  { authority: false, isHome: true, install: (cluster) => applyWithoutRules(cluster) },
  async ({ world }) => {
    await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name: 'teams' },
      spec: { selfManaged: { commonName: 'Teams' }, allowedNamespaces: { all: true }, issuancePolicy: { rules } },
    });
    await untilClusterAuthority(world, 'teams');
    return { tenant: await world.namespace({ team: 'yes' }) };
  },
);
test.after(scene.stop);

const names = (namespace: string) => ({
  commonName: `${namespace}.web`,
  dnsNames: [`web.${namespace}.svc`],
  uris: [`https://example.com/${namespace}/web`],
  emailAddresses: [`web@${namespace}.example.com`],
  ipAddresses: ['10.7.1.2'],
});

test('the control: a namespace has the names that its rule gives it', async () => {
  const { world, tenant } = await scene.get();
  await create(world, clientCertificate(tenant, 'own', { authorityRef, ...names(tenant) }));
  await untilReady(world, tenant, 'own');
});

const SPELLINGS: Readonly<Record<string, (own: string) => Record<string, unknown>>> = {
  'the name itself': () => ({ dnsNames: ['web.victim.svc'] }),
  'capitals in a DNS name': () => ({ dnsNames: ['web.VICTIM.svc'] }),
  'a dot at the end of a DNS name': () => ({ dnsNames: ['web.victim.svc.'] }),
  'a wildcard in a DNS name': (own) => ({ dnsNames: [`*.${own}.svc`] }),
  'a wildcard above the namespaces': () => ({ dnsNames: ['*.svc'] }),
  'Unicode in a DNS name': (own) => ({ dnsNames: [`wéb.${own}.svc`] }),
  'a fullwidth dot in a DNS name': (own) => ({ dnsNames: [`web．victim.${own}.svc`] }),
  'more labels than the wildcard': (own) => ({ dnsNames: [`web.victim.svc.${own}.svc`] }),
  'dot segments in a URI': (own) => ({ uris: [`https://example.com/${own}/../victim/web`] }),
  'escaped dot segments in a URI': (own) => ({ uris: [`https://example.com/${own}/%2e%2e/victim/web`] }),
  'an escaped slash in a URI': (own) => ({ uris: [`https://example.com/${own}/..%2Fvictim`] }),
  'an escaped letter in a URI': () => ({ uris: ['https://example.com/v%69ctim/web'] }),
  'another host in front of the path of a URI': (own) => ({ uris: [`https://example.com.evil.com/${own}/web`] }),
  'a user in front of the host of a URI': (own) => ({ uris: [`https://example.com@evil.com/${own}/web`] }),
  'another SPIFFE ID': () => ({ uris: ['spiffe://example.com/ns/victim/sa/web'] }),
  'a SPIFFE ID in capitals': () => ({ uris: ['SPIFFE://example.com/ns/victim/sa/web'] }),
  'a mail domain below that of the namespace': (own) => ({ emailAddresses: [`web@victim.${own}.example.com`] }),
  'an address outside of the range': () => ({ ipAddresses: ['10.8.0.1'] }),
  'an IPv4-mapped address outside of the range': () => ({ ipAddresses: ['::ffff:10.8.0.1'] }),
  'a name that looks like one of Kubernetes': () => ({ commonName: '\uff53ystem\uff1amasters' }),
  'kubeadm in capitals': () => ({ commonName: 'KubeADM:cluster-admins' }),
};

test('no spelling of the name of another namespace is issued', async () => {
  const { world, controller, tenant } = await scene.get();
  const own = (index: number) => `attack-${index}`;
  const attacks = Object.entries(SPELLINGS);
  // The API server itself refuses some of them.
  const stored = await Promise.all(
    attacks.map(async ([, spell], index) => {
      const spec = { authorityRef, commonName: 'harmless', ...spell(tenant) };
      return create(world, clientCertificate(tenant, own(index), spec)).then(
        () => true,
        () => false,
      );
    }),
  );
  for (const [index, [sentence]] of attacks.entries()) {
    if (!stored[index]) continue;
    const status = await eventually(`${sentence} is judged`, async () => {
      const found = await statusOf(world, tenant, own(index));
      return conditionOf(found, 'Stalled') !== undefined && found;
    });
    const reason = conditionOf(status, 'Stalled')?.reason ?? '';
    assert.ok(['DeniedByPolicy', 'SystemIdentityDenied', 'InvalidSpec'].includes(reason), `${sentence}: ${reason}`);
  }
  for (const [index, [sentence]] of attacks.entries()) {
    assert.is(signatures(controller, tenant, own(index)), 0, sentence);
    assert.is(await readSecret(world, tenant, `${own(index)}-tls`), undefined, sentence);
  }
  assert.ok(stored.filter(Boolean).length > 10, 'the controller had little to judge');
});

const setLabel = (world: World, namespace: string, team: string | null) =>
  patch(world, NAMESPACES, undefined, namespace, { metadata: { labels: { team } } });

test('a namespace that loses the label of its rule gets no renewal, and keeps its Secret', async () => {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace({ team: 'yes' });
  await create(world, clientCertificate(namespace, 'own', { authorityRef, ...names(namespace) }));
  const { serialNumber } = await untilReady(world, namespace, 'own');
  await setLabel(world, namespace, null);
  const status = await untilReady(world, namespace, 'own', { type: 'Stalled', reason: 'DeniedByPolicy' });
  await renewAt(world, namespace, 'own');
  await sleep(QUIET_MS);
  assert.equal([conditionOf(status, 'Ready')?.status, status.serialNumber], ['True', serialNumber]);
  assert.is(signatures(controller, namespace, 'own'), 1);
  await setLabel(world, namespace, 'yes');
  await eventually('it is renewed', async () => (await statusOf(world, namespace, 'own')).revision === 2);
});

test.run();
