import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import { ROTATION_REASONS } from '../certificate/observed.ts';
import { systemClock } from '../clock.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** Section 6 of the design, the requests to the API server, by which the writes of a rotation are counted, and what alerts need. */
const NAMES = [
  'certwheel_authority_demand_issuances_per_day',
  'certwheel_authority_quota_issuances_per_day',
  'certwheel_authority_ready',
  'certwheel_authority_request_duration_seconds',
  'certwheel_ca_not_after_timestamp_seconds',
  'certwheel_ca_not_before_timestamp_seconds',
  'certwheel_certificate_not_after_timestamp_seconds',
  'certwheel_certificate_overdue_ratio',
  'certwheel_certificate_ready',
  'certwheel_certificate_renewal_timestamp_seconds',
  'certwheel_certificate_slowed',
  'certwheel_certificate_time_left_seconds',
  'certwheel_certificates',
  'certwheel_kube_requests_total',
  'certwheel_leader',
  'certwheel_objects_left_out',
  'certwheel_rotation_duration_seconds',
  'certwheel_rotation_failures_total',
  'certwheel_rotation_lateness_seconds',
  'certwheel_rotations_total',
  'certwheel_watch_last_event_age_seconds',
  'certwheel_watch_restarts',
  'certwheel_workqueue_depth',
  'certwheel_workqueue_run_duration_seconds',
  'certwheel_workqueue_runs_total',
];

const NOW = new Date('2026-06-01T12:00:00Z');

function metricsOf(mostCertificateSeries = 100): Metrics {
  const clock = { ...systemClock, now: () => NOW };
  const metrics = createMetrics(['secret', 'selfManaged'], clock, mostCertificateSeries);
  metrics.ask({
    queueDepth: (name) => (name === 'certificates' ? 3 : 0),
    watches: () => [['secrets', { lastEventAt: 4_000, restarts: { expired: 2 } } as never]],
    monotonicMs: () => 10_000,
    leading: () => true,
  });
  return metrics;
}

/** The samples of our own metrics, as `name{labels}` with their value. */
async function samplesOf(metrics: Metrics): Promise<Record<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('certwheel_'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Those samples that are about one certificate or authority. */
async function about(metrics: Metrics, word: string): Promise<Record<string, number>> {
  const all = await samplesOf(metrics);
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.includes(word)));
}

const READY: ClientCertificateStatus = {
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Issued', message: '', lastTransitionTime: '2026-06-01T12:00:00Z' },
  ],
  notAfter: '2026-06-02T12:00:00Z',
  renewalTime: '2026-06-02T00:00:00Z',
};
const named = (name: string, authority = 'ca') =>
  aCertificate({ authorityRef: { name: authority } })
    .with({ name })
    .build();

test('the names are exactly those of the design, and each has a help text', async () => {
  const text = await metricsOf().registry.metrics();
  const helps = [...text.matchAll(/^# HELP (certwheel_\S+) (.+)$/gm)];
  assert.equal(helps.map(([, name]) => name).sort(), NAMES);
  for (const [, name, help = ''] of helps) assert.match(help, /^\S.+\.$/, name);
});

test('the process itself has metrics too', async () => {
  assert.match(await metricsOf().registry.metrics(), /^process_cpu_seconds_total /m);
});

test('rotations are there from the start, with every reason at zero', async () => {
  const samples = await samplesOf(metricsOf());
  for (const type of ['secret', 'selfManaged']) {
    for (const reason of ROTATION_REASONS)
      assert.is(samples[`certwheel_rotations_total{authority_type="${type}",reason="${reason}"}`], 0);
    assert.ok(
      Object.entries(samples).some(
        ([name, value]) => name.startsWith(`certwheel_rotation_failures_total{authority_type="${type}"`) && value === 0,
      ),
    );
  }
});

test('a rotation is counted, with what it took and how late it was', async () => {
  const metrics = metricsOf();
  metrics.rotated('secret', 'Due', 0.02, 3);
  metrics.rotated('secret', 'FirstIssue', 0.02, undefined);
  metrics.failed('secret', 'InvalidAnswer');
  metrics.authorityAnswered('secret', 0.01);
  const samples = await samplesOf(metrics);
  assert.is(samples['certwheel_rotations_total{authority_type="secret",reason="Due"}'], 1);
  assert.is(samples['certwheel_rotation_duration_seconds_count{authority_type="secret"}'], 2);
  assert.is(samples.certwheel_rotation_lateness_seconds_count, 1);
  assert.is(samples.certwheel_rotation_lateness_seconds_sum, 3);
  assert.is(samples['certwheel_rotation_failures_total{authority_type="secret",code="InvalidAnswer"}'], 1);
  assert.is(samples['certwheel_authority_request_duration_seconds_count{authority_type="secret"}'], 1);
});

test('a certificate has its three series', async () => {
  const metrics = metricsOf();
  metrics.certificates.show(named('a'), READY);
  const labels = '{namespace="team",name="a",authority="CertificateAuthority/team/ca"}';
  assert.equal(await about(metrics, 'name="a"'), {
    [`certwheel_certificate_not_after_timestamp_seconds${labels}`]: Date.parse('2026-06-02T12:00:00Z') / 1000,
    [`certwheel_certificate_renewal_timestamp_seconds${labels}`]: Date.parse('2026-06-02T00:00:00Z') / 1000,
    [`certwheel_certificate_ready${labels}`]: 1,
  });
});

test('a certificate that has no dates has no series of them, also when it had some before', async () => {
  const metrics = metricsOf();
  metrics.certificates.show(named('a'), READY);
  metrics.certificates.show(named('a'), { conditions: [] });
  assert.equal(await about(metrics, 'name="a"'), {
    'certwheel_certificate_ready{namespace="team",name="a",authority="CertificateAuthority/team/ca"}': 0,
  });
});

test('the series of a certificate go with it', async () => {
  const metrics = metricsOf();
  metrics.certificates.show(named('a'), READY);
  metrics.certificates.show(named('b'), READY);
  metrics.certificates.hide('team/a');
  metrics.certificates.hide('team/never-shown');
  assert.equal(await about(metrics, 'name="a"'), {});
  assert.is(Object.keys(await about(metrics, 'name="b"')).length, 3);
});

test('a certificate that changes its authority is not shown twice', async () => {
  const metrics = metricsOf();
  metrics.certificates.show(named('a'), READY);
  metrics.certificates.show(named('a', 'other'), READY);
  const series = Object.keys(await about(metrics, 'name="a"'));
  assert.is(series.length, 3);
  for (const each of series) assert.ok(each.includes('authority="CertificateAuthority/team/other"'), each);
});

test('above the cap no certificate has series of its own, until there are fewer again', async () => {
  const metrics = metricsOf(2);
  for (const name of ['a', 'b', 'c']) metrics.certificates.show(named(name), READY);
  assert.equal(await about(metrics, 'name='), {});
  metrics.certificates.hide('team/c');
  assert.is(Object.keys(await about(metrics, 'name=')).length, 6);
});

test('totals cover all certificates, however many there are', async () => {
  const metrics = metricsOf(1);
  for (const name of ['a', 'b']) metrics.certificates.show(named(name), READY);
  metrics.certificates.show(named('c'), { conditions: [] });
  const samples = await samplesOf(metrics);
  assert.is(samples['certwheel_certificates{ready="true"}'], 2);
  assert.is(samples['certwheel_certificates{ready="false"}'], 1);
  assert.is(samples['certwheel_certificate_time_left_seconds_bucket{le="21600"}'], 0);
  assert.is(samples['certwheel_certificate_time_left_seconds_bucket{le="86400"}'], 2);
});

test('how overdue certificates are is a share of the time from due to expiry', async () => {
  const metrics = metricsOf(1);
  const between = (renewalTime: string, notAfter: string) => ({ ...READY, renewalTime, notAfter });
  metrics.certificates.show(named('not-due'), READY);
  metrics.certificates.show(named('a-fifth'), between('2026-06-01T11:50:00Z', '2026-06-01T12:40:00Z'));
  metrics.certificates.show(named('most'), between('2026-06-01T11:00:00Z', '2026-06-01T12:15:00Z'));
  metrics.certificates.show(named('expired'), between('2026-06-01T10:00:00Z', '2026-06-01T11:00:00Z'));
  metrics.certificates.show(named('none-yet'), { conditions: [] });
  const upTo = async (le: string) =>
    (await samplesOf(metrics))[`certwheel_certificate_overdue_ratio_bucket{le="${le}"}`];
  assert.equal(
    [await upTo('0'), await upTo('0.1'), await upTo('0.5'), await upTo('1'), await upTo('+Inf')],
    [1, 1, 2, 3, 4],
  );
});

test('a certificate without a planned renewal counts as due a day before it expires', async () => {
  const metrics = metricsOf(1);
  metrics.certificates.show(named('two-days'), { notAfter: '2026-06-03T12:00:00Z' });
  metrics.certificates.show(named('six-hours'), { notAfter: '2026-06-01T18:00:00Z' });
  const samples = await samplesOf(metrics);
  assert.is(samples['certwheel_certificate_overdue_ratio_bucket{le="0"}'], 1);
  assert.is(samples['certwheel_certificate_overdue_ratio_bucket{le="0.5"}'], 1);
  assert.is(samples['certwheel_certificate_overdue_ratio_bucket{le="0.75"}'], 2);
});

test('an authority has its series, which go with it', async () => {
  const metrics = metricsOf();
  const spec = { secret: { name: 'pair' } };
  const authority = parseCertificateAuthority('CertificateAuthority', {
    metadata: { namespace: 'team', name: 'ca' },
    spec,
  });
  assert.ok(!('problem' in authority));
  metrics.showAuthority(authority, true, { notBefore: new Date(2_000), notAfter: new Date(7_000) });
  const label = '{authority="CertificateAuthority/team/ca"}';
  assert.equal(await about(metrics, label), {
    [`certwheel_authority_ready${label}`]: 1,
    [`certwheel_ca_not_before_timestamp_seconds${label}`]: 2,
    [`certwheel_ca_not_after_timestamp_seconds${label}`]: 7,
  });
  metrics.showAuthority(authority, false, undefined);
  assert.equal(await about(metrics, label), { [`certwheel_authority_ready${label}`]: 0 });
  const demand = { certificates: 1, perDay: 2.2, costs: [], quota: { perDay: 24, from: 'Quota' } } as const;
  const wanted = { [`certwheel_authority_demand_issuances_per_day${label}`]: 2.2 };
  metrics.showDemand(authority, demand);
  assert.equal(await about(metrics, `issuances_per_day${label}`), {
    ...wanted,
    [`certwheel_authority_quota_issuances_per_day${label}`]: 24,
  });
  metrics.showDemand(authority, { ...demand, quota: undefined });
  assert.equal(await about(metrics, `issuances_per_day${label}`), wanted);
  metrics.hideAuthority('CertificateAuthority/team/ca');
  assert.equal(await about(metrics, label), {});
});

test('gauges that are read at a scrape have the value of that moment', async () => {
  const samples = await samplesOf(metricsOf());
  assert.is(samples['certwheel_workqueue_depth{controller="certificates"}'], 3);
  assert.is(samples['certwheel_workqueue_depth{controller="authorities"}'], 0);
  assert.is(samples['certwheel_watch_last_event_age_seconds{watch="secrets"}'], 6);
  assert.is(samples['certwheel_watch_restarts{watch="secrets",reason="expired"}'], 2);
  assert.is(samples.certwheel_leader, 1);
});

test('runs and requests are counted', async () => {
  const metrics = metricsOf();
  metrics.ran('certificates', 'rest', 0.1);
  metrics.requested({ verb: 'patch', resource: 'secrets', status: 200 } as never);
  const samples = await samplesOf(metrics);
  assert.is(samples['certwheel_workqueue_runs_total{controller="certificates",outcome="rest"}'], 1);
  assert.is(samples['certwheel_workqueue_run_duration_seconds_count{controller="certificates"}'], 1);
  assert.is(samples['certwheel_kube_requests_total{verb="patch",resource="secrets",status="200"}'], 1);
});

test.run();
