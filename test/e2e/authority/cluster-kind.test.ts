import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, SECRETS } from '../../../src/api/names.ts';
import { msBetween } from '../process/support/audit.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret, patch, renewAt } from '../support/edits.ts';
import {
  AT_ONCE,
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { certificatesOf } from './history.ts';
import { generationSecrets } from './swap.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ['--trust-propagation', '1s'] });
test.after(scene.stop);

function createClusterAuthority({ client }: World, name: string, spec: Record<string, unknown>) {
  return client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: { selfManaged: { commonName: name }, caRotation: AT_ONCE, ...spec },
  });
}

async function clusterStatus({ client }: World, name: string): Promise<AuthorityStatus> {
  return ((await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name))?.status ?? {}) as AuthorityStatus;
}

/** A ClientCertificate `client` of a cluster authority. */
function client(world: World, namespace: string, authority: string, name = 'client') {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: authority };
  return create(world, clientCertificate(namespace, name, { authorityRef }));
}

function refused(world: World, namespace: string) {
  return untilReady(world, namespace, 'client', { type: 'Issuing', reason: 'NamespaceNotAllowed' });
}

function label(world: World, namespace: string, labels: Record<string, string | null>) {
  return plainApi(world.cluster).send(
    'PATCH',
    `/api/v1/namespaces/${namespace}`,
    { metadata: { labels } },
    'application/merge-patch+json',
  );
}

test('a list of names admits those namespaces alone, and one that is added later', async () => {
  const { world } = await scene.get();
  const [listed, other] = [await world.namespace(), await world.namespace()];
  await createClusterAuthority(world, 'by-names', { allowedNamespaces: { names: [listed] } });
  await client(world, listed, 'by-names');
  await client(world, other, 'by-names');
  await untilReady(world, listed, 'client');
  const { conditions } = await refused(world, other);
  const ready = conditionOf({ conditions: conditions ?? [] }, 'Ready');
  assert.is(ready?.status, 'False');
  assert.match(ready?.message ?? '', `does not list namespace ${other} in spec.allowedNamespaces`);
  assert.is(await readSecret(world, other, 'client-tls'), undefined);
  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'by-names', {
    spec: { allowedNamespaces: { names: [listed, other] } },
  });
  await untilReady(world, other, 'client');
});

test('a selector follows the labels of namespaces as they come and go', async () => {
  const { world } = await scene.get();
  const [early, late] = [await world.namespace({ team: 'blue' }), await world.namespace({ team: 'red' })];
  await createClusterAuthority(world, 'by-labels', {
    allowedNamespaces: { selector: { matchLabels: { team: 'blue' } } },
  });
  await client(world, early, 'by-labels');
  await client(world, late, 'by-labels');
  await untilReady(world, early, 'client');
  await refused(world, late);

  await label(world, late, { team: 'blue' });
  await untilReady(world, late, 'client');
  const tookMs = await msBetween(
    world,
    { resource: 'namespaces', namespace: late, name: late },
    { resource: 'secrets', namespace: late, name: 'client-tls' },
  );
  assert.ok(tookMs < 5_000, `${tookMs} ms after the label`);

  await label(world, late, { team: null });
  const status = await refused(world, late);
  const ready = conditionOf({ conditions: status.conditions ?? [] }, 'Ready');
  assert.is(ready?.status, 'True', 'what was issued is good until it ends');
  const before = status.serialNumber;
  await renewAt(world, late, 'client');
  await renewAt(world, early, 'client');
  await eventually('the other is renewed', async () => ((await statusOf(world, early, 'client')).revision ?? 0) > 1);
  assert.is((await statusOf(world, late, 'client')).serialNumber, before);
});

test('`all` admits every namespace, and without allowedNamespaces none is admitted', async () => {
  const { world } = await scene.get();
  const [one, two] = [await world.namespace(), await world.namespace()];
  await createClusterAuthority(world, 'for-all', { allowedNamespaces: { all: true } });
  await createClusterAuthority(world, 'for-none', {});
  await client(world, one, 'for-all');
  await client(world, two, 'for-none');
  await untilReady(world, one, 'client');
  await refused(world, two);
  assert.is(await readSecret(world, two, 'client-tls'), undefined);
  assert.is(conditionOf(await clusterStatus(world, 'for-none'), 'Ready')?.status, 'True');
});

test('an authority of several namespaces says that it has no rules, until it has some', async () => {
  const { world } = await scene.get();
  const allowedNamespaces = { names: ['one'] };
  await createClusterAuthority(world, 'open', { allowedNamespaces });
  const unrestricted = async () => conditionOf(await clusterStatus(world, 'open'), 'Unrestricted');
  const becomes = async (spec: object, isWanted: boolean) => {
    const { metadata } = await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', 'open', { spec });
    await eventually(`it is ${isWanted ? '' : 'not '}said to be unrestricted`, async () => {
      const { observedGeneration } = await clusterStatus(world, 'open');
      return observedGeneration === metadata?.generation && ((await unrestricted()) !== undefined) === isWanted;
    });
  };
  await becomes({ allowedNamespaces }, false);
  await becomes({ allowedNamespaces: { names: ['one', 'two'] } }, true);
  const { status, reason, message } = (await unrestricted()) ?? {};
  assert.equal([status, reason], ['True', 'NoIssuancePolicy']);
  assert.match(message ?? '', 'list in spec.issuancePolicy.rules which names each namespace may have');
  const rules = [{ name: 'any', namespaces: { all: true }, commonNames: ['*'] }];
  await becomes({ issuancePolicy: { rules } }, false);
});

test('the Secrets of a cluster authority are read and kept in the namespace of the controller alone', async () => {
  const { world, namespace: home } = await scene.get();
  const tenant = await world.namespace();
  const theirs = await makeCa('theirs');
  await putCaSecret(world, tenant, 'cluster-pair', pairData(theirs));
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'at-home' },
    spec: { secret: { name: 'cluster-pair' }, caRotation: AT_ONCE, allowedNamespaces: { all: true } },
  });
  await client(world, tenant, 'at-home');
  await eventually('it finds none', async () => {
    return conditionOf(await clusterStatus(world, 'at-home'), 'Ready')?.reason === 'CASecretNotFound';
  });
  const ours = await makeCa('ours');
  await putCaSecret(world, home, 'cluster-pair', pairData(ours));
  await untilReady(world, tenant, 'client');
  assert.ok((await readSecret(world, tenant, 'client-tls'))?.leaf.verify(ours.x509.publicKey));
  assert.ok(await world.client.get(SECRETS, home, 'at-home-clusterca-v1'));
  assert.equal(await generationSecrets(world, tenant), []);
});

test('a generation Secret of a cluster authority that a tenant creates in another namespace changes nothing', async () => {
  const { world, namespace: home } = await scene.get();
  const tenant = await world.namespace();
  await createClusterAuthority(world, 'target', { allowedNamespaces: { all: true } });
  await client(world, tenant, 'target');
  await untilReady(world, tenant, 'client');
  const before = await clusterStatus(world, 'target');

  const evil = await makeCa('evil');
  const data = Object.fromEntries(
    Object.entries({ ...pairData(evil), 'ca.crt': evil.certificate }).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ]),
  );
  for (const kind of ['ClusterCertificateAuthority', 'CertificateAuthority']) {
    for (const name of ['target-clusterca-v2', 'cluster-target-ca-v2', 'target-ca-v2', 'target-clusterca-v99']) {
      await createSecret(world, tenant, `${name}`, {
        type: 'kubernetes.io/tls',
        data,
        labels: { 'certwheel.io/authority-name': 'target', 'certwheel.io/authority-kind': kind },
        annotations: {
          'certwheel.io/generation-state': 'Active',
          'certwheel.io/generation-state-since': '2099-01-01T00:00:00.000Z',
          'certwheel.io/generation-source': 'selfManaged',
        },
      }).catch((error: Error) => {
        if (!error.message.includes('already exists')) throw error;
      });
    }
    for (const { metadata } of await generationSecrets(world, tenant))
      await patch(world, SECRETS, tenant, metadata?.name ?? '', {
        metadata: { labels: { 'certwheel.io/authority-kind': kind } },
      });
    const probe = `after-${kind.toLowerCase()}`;
    await client(world, tenant, 'target', probe);
    await untilReady(world, tenant, probe);
    const secret = await readSecret(world, tenant, `${probe}-tls`);
    assert.is(secret?.leaf.issuer, 'CN=target v1');
    assert.is(certificatesOf(secret?.bundle ?? '').length, 1);
  }
  await renewAt(world, tenant, 'client');
  await eventually('it is renewed', async () => ((await statusOf(world, tenant, 'client')).revision ?? 0) > 1);
  assert.is((await readSecret(world, tenant, 'client-tls'))?.leaf.issuer, 'CN=target v1');
  assert.equal((await clusterStatus(world, 'target')).generations, before.generations);
  const kept = (await generationSecrets(world, home)).filter(({ metadata }) => metadata?.name?.includes('target'));
  assert.equal(
    kept.map(({ metadata }) => metadata?.name),
    ['target-clusterca-v1'],
  );
});

test('a generation under its former name stays in use, and no authority of the other kind takes its place', async () => {
  const { world, namespace: home } = await scene.get();
  const kept = await makeCa('meets v1');
  const data = Object.fromEntries(
    Object.entries({ ...pairData(kept), 'ca.crt': kept.certificate }).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ]),
  );
  await createSecret(world, home, 'cluster-meets-ca-v1', {
    type: 'kubernetes.io/tls',
    data,
    labels: { 'certwheel.io/authority-name': 'meets', 'certwheel.io/authority-kind': 'ClusterCertificateAuthority' },
    annotations: {
      'certwheel.io/generation-state': 'Active',
      'certwheel.io/generation-state-since': new Date().toISOString(),
      'certwheel.io/generation-source': 'selfManaged',
    },
  });
  const tenant = await world.namespace();
  await createClusterAuthority(world, 'meets', { allowedNamespaces: { all: true } });
  await client(world, tenant, 'meets');
  await untilReady(world, tenant, 'client');
  assert.is((await readSecret(world, tenant, 'client-tls'))?.leaf.issuer, kept.x509.subject);
  assert.is(await world.client.get(SECRETS, home, 'meets-clusterca-v1'), undefined);
  const before = await world.client.get(SECRETS, home, 'cluster-meets-ca-v1');

  await createAuthority(world, selfManaged(home, 'cluster-meets'));
  const ready = await eventually('the other says so', async () => {
    const condition = conditionOf(await authorityStatusOf(world, home, 'cluster-meets'), 'Ready');
    return condition?.status === 'False' && condition;
  });
  assert.is(ready.reason, 'SecretNotOwned');
  assert.is(
    ready.message,
    `a CA generation is to be kept in Secret ${home}/cluster-meets-ca-v1, and that Secret holds a CA generation of ClusterCertificateAuthority meets; create this authority anew under another name`,
  );
  assert.equal(await world.client.get(SECRETS, home, 'cluster-meets-ca-v1'), before);

  // The next generation gets another name.
  await world.client.delete(SECRETS, home, 'cluster-meets-ca-v1');
  await eventually('its next generation', () => world.client.get(SECRETS, home, 'meets-clusterca-v2'));
});

test('a certificate cannot refer to the authority of another namespace', async () => {
  const { world } = await scene.get();
  const [owner, thief] = [await world.namespace(), await world.namespace()];
  await putCaSecret(world, owner, 'pair', pairData(await makeCa('private')));
  await createSecretAuthority(world, owner, 'private', 'pair');
  await create(world, clientCertificate(thief, 'client', { authorityRef: { name: 'private' } }));
  await untilReady(world, thief, 'client', { type: 'Issuing', reason: 'AuthorityNotFound' });
  assert.is(await readSecret(world, thief, 'client-tls'), undefined);
});

test.run();
