import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, EVENTS, SECRETS } from '../../../src/api/names.ts';
import { secretAuthority } from '../support/ca-secret.ts';
import { patchSecret, renewAt } from '../support/edits.ts';
import { untilNextSecond } from '../support/moments.ts';
import { authorityStatusOf, clientCertificate, create, untilReady } from '../support/objects.ts';
import { eventsOf } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { revisionOf } from '../support/secret-witness.ts';
import { eventually } from '../support/world.ts';
import { createAll, numbered, untilAllReady } from './support/fleet.ts';
import { metricsOf } from './support/metrics.ts';

const scene = oneScene({ flags: ['--log-level', 'debug'] }, async ({ world, namespace }) => ({
  namespaces: [await world.namespace(), namespace] as const,
}));
test.after(scene.stop);

/** The metrics of the design, each with its type. */
const FAMILIES = {
  certwheel_certificate_not_after_timestamp_seconds: 'gauge',
  certwheel_certificate_renewal_timestamp_seconds: 'gauge',
  certwheel_certificate_ready: 'gauge',
  certwheel_certificate_overdue_ratio: 'histogram',
  certwheel_rotations_total: 'counter',
  certwheel_rotation_failures_total: 'counter',
  certwheel_rotation_duration_seconds: 'histogram',
  certwheel_rotation_lateness_seconds: 'histogram',
  certwheel_authority_request_duration_seconds: 'histogram',
  certwheel_authority_ready: 'gauge',
  certwheel_authority_demand_issuances_per_day: 'gauge',
  certwheel_authority_quota_issuances_per_day: 'gauge',
  certwheel_ca_not_before_timestamp_seconds: 'gauge',
  certwheel_ca_not_after_timestamp_seconds: 'gauge',
  certwheel_workqueue_depth: 'gauge',
  certwheel_workqueue_runs_total: 'counter',
  certwheel_workqueue_run_duration_seconds: 'histogram',
  certwheel_watch_last_event_age_seconds: 'gauge',
  certwheel_watch_restarts: 'gauge',
  certwheel_leader: 'gauge',
} as const;

test('/metrics has every metric of the design, in a syntax that can be read', async () => {
  const { world, controller, namespaces } = await scene.get();
  const fresh = await metricsOf(controller);
  assert.is(fresh.value('certwheel_rotations_total', { authority_type: 'secret', reason: 'Due' }), 0);
  await secretAuthority(world, namespaces[0]);
  for (const namespace of namespaces) {
    await createAll(world, namespace, numbered(3));
    await untilAllReady(world, namespace, 3);
  }
  // A scrape may be a moment behind the status.
  const isShown = async () => (await metricsOf(controller)).value('certwheel_certificate_ready') === 6;
  await eventually('all six are shown as ready', isShown);
  const { types, value } = await metricsOf(controller);
  for (const [family, type] of Object.entries(FAMILIES)) assert.is(types.get(family), type, family);
  assert.is(value('certwheel_rotations_total', { authority_type: 'secret', reason: 'FirstIssue' }), 3);
  assert.is(value('certwheel_rotations_total', { authority_type: 'selfManaged', reason: 'FirstIssue' }), 3);
  assert.is(value('certwheel_rotation_duration_seconds_count'), 6);
  assert.is(value('certwheel_authority_ready'), 2);
  assert.is(value('certwheel_leader'), 1);
});

test('the series of deleted objects are removed', async () => {
  const { world, controller, namespaces } = await scene.get();
  const { client } = world;
  await client.delete(CLIENT_CERTIFICATES, namespaces[0], 'c0');
  await client.delete(CERTIFICATE_AUTHORITIES, namespaces[1], 'ca');
  const seriesWith = async (wanted: Readonly<Record<string, string | undefined>>) =>
    (await metricsOf(controller)).samples.filter(({ labels }) =>
      Object.entries(wanted).every(([label, value]) => labels[label] === value),
    ).length;
  const namespace = namespaces[0];
  await eventually('no certificate', async () => (await seriesWith({ namespace, name: 'c0' })) === 0);
  assert.is(await seriesWith({ namespace, name: 'c1' }), 3);
  // The certificates, which still exist, have the label of their authority too.
  const authority = { authority: `CertificateAuthority/${namespaces[1]}/ca`, name: undefined };
  await eventually('no authority', async () => (await seriesWith(authority)) === 0);
});

test('at log level debug no private key appears in a log, an event, a status or a metric', async () => {
  const { world, controller } = await scene.get();
  const { client } = world;
  const namespace = await world.namespace();
  await secretAuthority(world, namespace);
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  await untilNextSecond();
  await renewAt(world, namespace, 'alice');
  await untilRevision(2);
  // Errors say more than successes do: keys in the wrong place, and half of a key.
  await patchSecret(world, namespace, 'alice-tls', { data: { 'tls.crt': await keyOf('alice-tls') } });
  await untilRevision(3);
  const half = Buffer.from(Buffer.from(await keyOf('alice-tls'), 'base64').subarray(0, 120)).toString('base64');
  await patchSecret(world, namespace, 'alice-tls', { data: { 'tls.key': half } });
  await untilRevision(4);
  await patchSecret(world, namespace, 'ca-pair', { data: { 'tls.crt': await keyOf('ca-pair') } });
  await eventually('the authority reports the CA pair', async () => {
    const { conditions = [] } = await authorityStatusOf(world, namespace, 'ca');
    return conditions.some(({ reason }) => reason === 'CAPairRefused');
  });
  await eventually('an event reports it', async () => (await eventsOf(world, namespace, 'ca')).length > 0);

  const secrets = (await client.list(SECRETS)).items;
  const said = [
    JSON.stringify(controller.logs),
    controller.errors.join('\n'),
    JSON.stringify((await client.list(EVENTS)).items),
    JSON.stringify((await client.list(CLIENT_CERTIFICATES)).items.map(({ status }) => status)),
    JSON.stringify((await client.list(CERTIFICATE_AUTHORITIES)).items.map(({ status }) => status)),
    await controller.metrics(),
  ].join('\n');
  // "tls.crt holds a PRIVATE KEY" helps; the text between BEGIN and END must not be shown.
  assert.not.match(said, /BEGIN [A-Z ]*PRIVATE KEY/);
  assert.ok(secrets.length > 8);
  for (const { data = {}, metadata } of secrets) {
    const key = data['tls.key'] ?? '';
    const pem = Buffer.from(key, 'base64').toString();
    // The middle of the key, in each spelling in which it might slip out.
    const body = pem.split('\n')[1] ?? '';
    for (const spelling of [key.slice(40, 100), body.slice(0, 60)])
      assert.not(spelling.length >= 20 && said.includes(spelling), `the key of ${metadata?.name} is shown`);
  }
  await controller.stop();

  async function untilRevision(revision: number): Promise<void> {
    const reached = async () => revisionOf(await client.get(SECRETS, namespace, 'alice-tls')) === revision;
    await eventually(`revision ${revision}`, reached);
  }

  async function keyOf(name: string): Promise<string> {
    return (await client.get(SECRETS, namespace, name))?.data?.['tls.key'] ?? '';
  }
});

test.run();
