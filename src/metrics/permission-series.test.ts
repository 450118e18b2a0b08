import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { about, metricsOf, named, READY } from '../../test/unit/shown-metrics.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';

const seconds = (moment: string) => Date.parse(moment) / 1_000;
const NOT_BEFORE = '2026-06-01T11:59:00Z';

/** One that was issued before, and whose renewal is not permitted. */
function held(reason: string, type = 'Issuing'): ClientCertificateStatus {
  const condition = { type, status: 'True' as const, reason, message: '', lastTransitionTime: NOT_BEFORE };
  return { ...READY, notBefore: NOT_BEFORE, conditions: [...(READY.conditions ?? []), condition] };
}

/** One that was never issued. */
function fresh(reason: string): ClientCertificateStatus {
  const { conditions = [] } = held(reason);
  return { conditions: conditions.map((each) => ({ ...each, status: 'False', reason })) };
}

const gauge = (reason: string, authority = 'ca') =>
  `certwheel_certificates_not_permitted{authority="CertificateAuthority/team/${authority}",reason="${reason}"}`;
const DENIED = '{namespace="team",name="a",authority="CertificateAuthority/team/ca"}';

test('certificates that are not permitted are counted by authority and reason', async () => {
  const metrics = metricsOf();
  const { certificates } = metrics;
  certificates.show(named('a'), held('DeniedByPolicy', 'Stalled'));
  certificates.show(named('b'), fresh('DeniedByPolicy'));
  certificates.show(named('c'), fresh('ApprovalPending'));
  certificates.show(named('d', 'other'), held('TooManyCertificates'));
  certificates.show(named('e'), held('AuthorityNotReady'));
  certificates.show(named('f'), fresh('ApprovalDenied'));
  assert.equal(await about(metrics, 'not_permitted'), {
    [gauge('DeniedByPolicy')]: 2,
    [gauge('ApprovalPending')]: 1,
    [gauge('ApprovalDenied')]: 1,
    [gauge('TooManyCertificates', 'other')]: 1,
  });
});

test('there is no series once all are permitted, or gone', async () => {
  const metrics = metricsOf();
  assert.equal(await about(metrics, 'not_permitted{'), {});
  metrics.certificates.show(named('a'), fresh('DeniedByPolicy'));
  metrics.certificates.show(named('b'), fresh('ApprovalPending'));
  metrics.certificates.show(named('a'), READY);
  metrics.certificates.hide('team/b');
  assert.equal(await about(metrics, 'not_permitted{'), {});
});

for (const reason of ['DeniedByPolicy', 'ApprovalDenied'])
  for (const most of [100, 0])
    test(`${reason}: a certificate that was issued before has its dates, with series for at most ${most} certificates`, async () => {
      const metrics = metricsOf(most);
      metrics.certificates.show(named('a'), held(reason, 'Stalled'));
      metrics.certificates.show(named('b'), fresh(reason));
      metrics.certificates.show(named('c'), held('TooManyCertificates'));
      assert.equal(await about(metrics, 'denied_certificate'), {
        [`certwheel_denied_certificate_not_after_timestamp_seconds${DENIED}`]: seconds('2026-06-02T12:00:00Z'),
        [`certwheel_denied_certificate_not_before_timestamp_seconds${DENIED}`]: seconds(NOT_BEFORE),
      });
    });

test('of more than a hundred denied certificates, those that expire first have series', async () => {
  const metrics = metricsOf();
  for (let day = 1; day <= 130; day++) {
    const notAfter = new Date(Date.UTC(2026, 5, day)).toISOString();
    metrics.certificates.show(named(`day-${131 - day}`), { ...held('DeniedByPolicy', 'Stalled'), notAfter });
  }
  const shown = Object.keys(await about(metrics, 'denied_certificate_not_after'));
  assert.is(shown.length, 100);
  assert.ok(shown.some((each) => each.includes('"day-130"')));
  assert.not(shown.some((each) => each.includes('"day-30"')));
});

test.run();
