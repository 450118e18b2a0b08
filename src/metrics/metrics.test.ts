import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { about, metricsOf, samplesOf } from '../../test/unit/shown-metrics.ts';
import { parseCertificateAuthority } from '../api/certificate-authority.ts';
import { ROTATION_REASONS } from '../certificate/observed.ts';

/** Section 6 of the design, the requests to the API server, by which the writes of a rotation are counted, and what alerts need. */
const NAMES = [
  'certwheel_audit_lines_total',
  'certwheel_audit_lost_lines_total',
  'certwheel_audit_write_failures_total',
  'certwheel_authority_demand_issuances_per_day',
  'certwheel_authority_quota_issuances_per_day',
  'certwheel_authority_ready',
  'certwheel_authority_request_duration_seconds',
  'certwheel_ca_generation_certificates',
  'certwheel_ca_not_after_timestamp_seconds',
  'certwheel_ca_not_before_timestamp_seconds',
  'certwheel_ca_rotation_overruled_total',
  'certwheel_ca_rotation_waiting',
  'certwheel_certificate_not_after_timestamp_seconds',
  'certwheel_certificate_overdue_ratio',
  'certwheel_certificate_ready',
  'certwheel_certificate_renewal_timestamp_seconds',
  'certwheel_certificate_slowed',
  'certwheel_certificate_time_left_seconds',
  'certwheel_certificates',
  'certwheel_certificates_not_permitted',
  'certwheel_crl_next_update_timestamp_seconds',
  'certwheel_crl_this_update_timestamp_seconds',
  'certwheel_denied_certificate_not_after_timestamp_seconds',
  'certwheel_denied_certificate_not_before_timestamp_seconds',
  'certwheel_fallback_issues_total',
  'certwheel_fallback_ready',
  'certwheel_issuances_by_rule_total',
  'certwheel_kube_requests_total',
  'certwheel_leader',
  'certwheel_objects_left_out',
  'certwheel_probe_certificates_total',
  'certwheel_probe_duration_seconds',
  'certwheel_probe_total',
  'certwheel_revocation_owed_since_timestamp_seconds',
  'certwheel_revocations_owed',
  'certwheel_revocations_total',
  'certwheel_rotation_duration_seconds',
  'certwheel_rotation_failures_total',
  'certwheel_rotation_lateness_seconds',
  'certwheel_rotations_total',
  'certwheel_shard_owned',
  'certwheel_shards',
  'certwheel_trust_source_not_after_timestamp_seconds',
  'certwheel_trust_source_ready',
  'certwheel_trust_target_objects',
  'certwheel_trust_target_writes_total',
  'certwheel_verifier_accepts_rogue',
  'certwheel_verifier_server_certificate_not_after_timestamp_seconds',
  'certwheel_verifier_trusts',
  'certwheel_watch_last_event_age_seconds',
  'certwheel_watch_restarts',
  'certwheel_workqueue_depth',
  'certwheel_workqueue_run_duration_seconds',
  'certwheel_workqueue_runs_total',
];

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

test('shards have series only where replicas share the work', async () => {
  assert.not.match(await metricsOf().registry.metrics(), /^certwheel_shard/m);
  const shared = await metricsOf(100, { held: 22, count: 64 }).registry.metrics();
  assert.match(shared, /^certwheel_shard_owned 22$/m);
  assert.match(shared, /^certwheel_shards 64$/m);
});

test.run();
