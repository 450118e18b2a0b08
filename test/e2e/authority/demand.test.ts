import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  EVENTS,
} from '../../../src/api/names.ts';
import { clusterUser } from '../process/support/access.ts';
import { isWrite, requestsOf, shortly } from '../process/support/audit.ts';
import { createAll, lines, numbered, QUICK, untilAllReady } from '../process/support/fleet.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { startController } from '../support/controller-process.ts';
import { patchAuthority, patchCertificate } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene({
  authority: false,
  start: async (world) => startController(await clusterUser(world, 'forecaster')),
});
test.after(scene.stop);

/** A change is counted after 10 s; a warning is written at once. */
const WITHIN_MS = 60_000;
/** After this long every change is counted. */
const COUNTED_MS = 12_000;
const DEMAND = 'certwheel_authority_demand_issuances_per_day';
const QUOTA = 'certwheel_authority_quota_issuances_per_day';

async function untilTold(what: string, isSo: (status: AuthorityStatus) => boolean): Promise<AuthorityStatus> {
  const { world, namespace } = await scene.get();
  return eventually(
    what,
    async () => {
      const status = await authorityStatusOf(world, namespace, 'ca');
      return isSo(status) && status;
    },
    WITHIN_MS,
  );
}

const shortOf = (status: AuthorityStatus) => conditionOf(status, 'QuotaShort');

async function warnings(): Promise<string[]> {
  const { world, namespace } = await scene.get();
  const { items } = await world.client.list(EVENTS, { namespace });
  return items.flatMap((event) => {
    const { reason, type, regarding } = event as { reason?: string; type?: string; regarding?: { kind?: string } };
    return type === 'Warning' && regarding?.kind === 'CertificateAuthority' ? [reason ?? ''] : [];
  });
}

test('a demand near the quota is reported, with the certificates that need most of it', async () => {
  const { world, controller, namespace } = await scene.get();
  // A certificate of one hour needs 53.33 issuances a day.
  await createAuthority(world, selfManaged(namespace, 'ca', { quota: { issuances: 7 * 120, per: 'Week' } }));
  const empty = await untilTold('nothing is needed', ({ demand }) => demand?.certificates === 0);
  assert.equal(empty.demand, { certificates: 0, issuancesPerDay: 0, quotaPerDay: 120, quotaFrom: 'Quota' });
  await createAll(world, namespace, ['a', 'b'], { duration: '1h' });
  await create(world, clientCertificate(namespace, 'asleep', { duration: '1h', suspend: true }));
  const near = await untilTold('the quota is near', (status) => shortOf(status)?.reason === 'NearQuota');
  assert.equal(near.demand, { certificates: 2, issuancesPerDay: 107, quotaPerDay: 120, quotaFrom: 'Quota' });
  assert.match(shortOf(near)?.message ?? '', `2 like ${namespace}/a with duration 1h (107 a day)`);
  assert.is(conditionOf(near, 'Ready')?.status, 'True');

  await createAll(world, namespace, ['c'], { duration: '30m' });
  const over = await untilTold('the quota is exceeded', (status) => shortOf(status)?.reason === 'OverQuota');
  assert.is(over.demand?.issuancesPerDay, 214);
  const told = async () => (await warnings()).length === 2;
  await eventually('both were told of', told);
  assert.equal((await warnings()).sort(), ['NearQuota', 'OverQuota']);
  const logged = controller.logs.filter(({ message }) => message === 'quota is short').map(({ code }) => code);
  assert.equal(logged, ['NearQuota', 'OverQuota']);
});

test('metrics show the forecast and the quota', async () => {
  const { controller, namespace } = await scene.get();
  const { value } = await metricsOf(controller);
  const labels = { authority: `CertificateAuthority/${namespace}/ca` };
  assert.is(value(QUOTA, labels), 120);
  const demand = value(DEMAND, labels) ?? 0;
  assert.ok(demand > 213 && demand < 214, String(demand));
});

test('a higher quota ends the warning, and so do longer lives', async () => {
  const { world, namespace } = await scene.get();
  const quota = (issuances: number) =>
    patchAuthority(world, namespace, 'ca', { spec: { quota: { issuances, per: 'Day' } } });
  await quota(1_000);
  const enough = await untilTold('the quota is enough', (status) => shortOf(status) === undefined);
  assert.equal(enough.demand, { certificates: 3, issuancesPerDay: 214, quotaPerDay: 1_000, quotaFrom: 'Quota' });
  await quota(120);
  await untilTold('the quota is exceeded again', (status) => shortOf(status)?.reason === 'OverQuota');
  for (const name of ['a', 'b', 'c']) await patchCertificate(world, namespace, name, { spec: { duration: '24h' } });
  const longer = await untilTold('less is needed', (status) => shortOf(status) === undefined);
  assert.is(longer.demand?.issuancesPerDay, 7);
});

test('the rate limit is a quota too, and without either status shows no demand', async () => {
  const { world, controller, namespace } = await scene.get();
  await patchAuthority(world, namespace, 'ca', { spec: { quota: null, rateLimit: { requests: 1, per: 'Hour' } } });
  const limited = await untilTold('the rate limit counts', ({ demand }) => demand?.quotaFrom === 'RateLimit');
  assert.is(limited.demand?.quotaPerDay, 24);
  await patchAuthority(world, namespace, 'ca', { spec: { rateLimit: null } });
  await untilTold('no quota is known', ({ demand }) => demand === undefined);
  const { value } = await metricsOf(controller);
  const labels = { authority: `CertificateAuthority/${namespace}/ca` };
  assert.is(value(QUOTA, labels), undefined);
  assert.ok((value(DEMAND, labels) ?? 0) > 6);
});

test('neither a rotation nor a reconcile without a change writes the status of the authority', async () => {
  const { world, controller, namespace } = await scene.get();
  const { client } = world;
  for (const name of ['a', 'b', 'c']) await client.delete(CLIENT_CERTIFICATES, namespace, name);
  await patchAuthority(world, namespace, 'ca', { spec: { quota: { issuances: 40_000, per: 'Day' } } });
  const names = numbered(4, 'quick');
  await createAll(world, namespace, names, QUICK);
  await client.delete(CLIENT_CERTIFICATES, namespace, 'asleep');
  await untilAllReady(world, namespace, names.length);
  const counted = await untilTold(
    'all are counted',
    (status) => status.demand?.certificates === names.length && shortOf(status)?.reason === 'NearQuota',
  );
  await sleep(COUNTED_MS);
  const since = new Date();
  const runs = async () =>
    (await metricsOf(controller)).value('certwheel_workqueue_runs_total', { controller: 'authorities' }) ?? 0;
  const before = { rotations: lines(controller.logs, 'certificate issued').length, runs: await runs() };
  // Neither a suspended certificate nor an edit that only reconciles the authority changes the forecast.
  await create(world, clientCertificate(namespace, 'asleep', { suspend: true }));
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations: { 'example.com/touched': 'true' } } });
  await sleep(COUNTED_MS);
  await eventually(
    'all were rotated twice, and the authority was reconciled meanwhile',
    async () =>
      lines(controller.logs, 'certificate issued').length >= before.rotations + 2 * names.length &&
      (await runs()) > before.runs,
    90_000,
  );
  const writes = (await requestsOf(world, 'forecaster', since)).filter(isWrite).map(shortly);
  assert.equal([...new Set(writes)].sort(), ['patch clientcertificates/status', 'patch secrets']);
  assert.equal((await authorityStatusOf(world, namespace, 'ca')).demand, counted.demand);
});

test('a namespace that may not use a cluster authority is not counted, until it may', async () => {
  const { world } = await scene.get();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'shared' },
    spec: {
      selfManaged: { commonName: 'Shared' },
      quota: { issuances: 50, per: 'Day' },
      allowedNamespaces: { selector: { matchLabels: { team: 'good' } } },
    },
  });
  const allowed = await world.namespace({ team: 'good' });
  const stranger = await world.namespace();
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'shared' };
  await createAll(world, stranger, numbered(5), { authorityRef, duration: '1h' });
  await createAll(world, allowed, ['one'], { authorityRef, duration: '1h' });
  const untilCounted = (count: number) =>
    eventually(
      `${count} are counted`,
      async () => {
        const found = await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'shared');
        const status = (found?.status ?? {}) as AuthorityStatus;
        return status.demand?.certificates === count && status;
      },
      WITHIN_MS,
    );
  assert.match(shortOf(await untilCounted(1))?.message ?? '', `${allowed}/one with duration 1h`);
  await world.cluster.kubectl(['label', 'namespace', stranger, 'team=good']);
  assert.match(shortOf(await untilCounted(6))?.message ?? '', `6 like ${allowed}/one with duration 1h`);
});

test('the series of an authority are removed with it', async () => {
  const { world, controller, namespace } = await scene.get();
  await world.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  const labels = { authority: `CertificateAuthority/${namespace}/ca` };
  await eventually('they are gone', async () => {
    const { value } = await metricsOf(controller);
    return value(DEMAND, labels) === undefined && value(QUOTA, labels) === undefined;
  });
  assert.is(await controller.stop(), 0);
});

test.run();
