/** The series of single certificates, and the totals in their place. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { about, metricsOf, named, READY, samplesOf } from '../../test/unit/shown-metrics.ts';

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

test.run();
