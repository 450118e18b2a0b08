import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, aSecret, DAY, HOUR, MINUTE, NOW } from '../../test/unit/builders.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import type { IssuanceQuota, RateLimit } from '../api/certificate-authority.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { Consumer } from '../rotation/deps.ts';
import { demandOn } from './demand.ts';
import { demandStatus, quotaShort, whatIsNew } from './demand-status.ts';

const UNLIMITED = {
  maxDurationMs: undefined,
  keyAlgorithms: undefined,
  usages: undefined,
  allowSystemIdentities: false,
};
const named = (name: string, spec: object) => aCertificate({ ...spec }).with({ name, uid: `uid of ${name}` });

/** Never issued yet. */
function wanting(spec: object, name = 'client'): Consumer {
  return { resource: named(name, spec).build(), secret: undefined };
}

/** Holds a certificate that lives so long from its issue on. */
function holding(spec: object, lifeMs: number, fields: Parameters<typeof aSecret>[1] = {}): Consumer {
  const resource = named('client', spec).build();
  const certificate = { notBefore: after(-MINUTE), notAfter: after(lifeMs) };
  return { resource, secret: aSecret(resource, { certificate, ...fields }) };
}

function fleet(count: number, spec: object, name: string): Consumer[] {
  return Array.from({ length: count }, (_, index) => wanting(spec, `${name}-${index}`));
}

function told(
  consumers: readonly Consumer[],
  quota?: IssuanceQuota,
  { rateLimit, maxDurationMs }: { rateLimit?: RateLimit; maxDurationMs?: number } = {},
) {
  return demandOn({ resource: { limits: { ...UNLIMITED, maxDurationMs }, quota }, rateLimit }, consumers, NOW);
}

const perDay = (...consumers: Consumer[]) => Math.round(told(consumers).perDay * 100) / 100;
const daily = (issuances: number): IssuanceQuota => ({ issuances, perMs: DAY });

test('a certificate is issued each time that it comes due, a tenth of the way earlier on the average', () => {
  // 0.45 of a life of a day; 0.6 of one of 90 days.
  assert.is(perDay(wanting({ duration: '24h' })), 2.22);
  assert.is(perDay(wanting({ duration: '2160h' })), 0.02);
  assert.is(perDay(wanting({ duration: '24h', renewBefore: '14h' })), 2.67);
  assert.is(perDay(wanting({ duration: '24h' }), wanting({ duration: '12h' })), 6.67);
});

test('a suspended or deleted certificate adds no demand', () => {
  const suspended = wanting({ duration: '1h', suspend: true });
  const deleted = { ...suspended, resource: { ...wanting({ duration: '1h' }).resource, deleting: [] } };
  const { certificates, perDay: all } = told([suspended, deleted, wanting({ duration: '24h' })]);
  assert.is(certificates, 1);
  assert.ok(all < 3);
  assert.equal(told([]), { certificates: 0, perDay: 0, costs: [], quota: undefined });
});

test('what was granted counts, where it was for what is asked for now', () => {
  const hourly = perDay(wanting({ duration: '1h' }));
  const daylong = perDay(wanting({ duration: '24h' }));
  assert.is(perDay(holding({ duration: '24h' }, HOUR)), hourly);
  assert.is(perDay(holding({ duration: '1h' }, DAY)), hourly, 'a longer life is used as long as was asked for');
  for (const [why, fields] of Object.entries({
    'it is of another duration': { memory: { requestedDurationMs: HOUR } },
    'the requested duration is unknown': { memory: { requestedDurationMs: undefined } },
    'another authority issued it': { memory: { authority: 'CertificateAuthority/former' } },
    "it is somebody else's": { owner: { certificateName: 'client', certificateUid: 'another' } },
    'there is none': { certificate: undefined },
  }))
    assert.is(perDay(holding({ duration: '24h' }, HOUR, fields)), daylong, why);
});

test('a certificate that the authority refuses adds no demand', () => {
  const { perDay: capped } = told([wanting({ duration: '168h' })], undefined, { maxDurationMs: DAY });
  assert.is(capped, told([wanting({ duration: '24h' })]).perDay);
});

test('a backdate does not count for a life, nor does a moment of issue that cannot be true', () => {
  const resource = named('client', { duration: '24h' }).build();
  const perDayWith = (issuedAt: Date | undefined, notBefore = after(-3 * HOUR)) =>
    perDay({
      resource,
      secret: aSecret(resource, { certificate: { notBefore, notAfter: after(HOUR) }, memory: { issuedAt } }),
    });
  const hourly = perDay(wanting({ duration: '1h' }));
  assert.is(perDayWith(NOW), hourly);
  const fromItself = perDay(wanting({ duration: '4h' }));
  for (const issuedAt of [undefined, after(-4 * HOUR), after(MINUTE), after(2 * HOUR)])
    assert.is(perDayWith(issuedAt), fromItself, String(issuedAt));
});

test('a second more or less of a granted life changes nothing', () => {
  for (const minutes of [5, 10, 15, 30, 60, 8 * 60, 24 * 60, 6 * 24 * 60, 90 * 24 * 60]) {
    const lifeMs = minutes * MINUTE;
    const spec = { duration: `${minutes + 1}m` };
    const exact = told([holding(spec, lifeMs)]);
    for (const byMs of [-1_000, 1_000]) assert.equal(told([holding(spec, lifeMs + byMs)]), exact, `${minutes} minutes`);
  }
});

test('the tightest quota counts, whatever its span', () => {
  const quotaOf = (quota?: IssuanceQuota, rateLimit?: RateLimit) =>
    told([], quota, rateLimit === undefined ? {} : { rateLimit }).quota;
  assert.is(quotaOf(), undefined);
  assert.equal(quotaOf({ issuances: 700, perMs: 7 * DAY }), { perDay: 100, from: 'Quota' });
  assert.equal(quotaOf(undefined, { requests: 1, perMs: HOUR, burst: 5 }), { perDay: 24, from: 'RateLimit' });
  assert.equal(quotaOf(daily(25), { requests: 1, perMs: HOUR, burst: 1 }), { perDay: 24, from: 'RateLimit' });
  assert.equal(quotaOf(daily(23), { requests: 1, perMs: HOUR, burst: 1 }), { perDay: 23, from: 'Quota' });
});

test('status has figures of three digits, and only where there is a quota to compare them with', () => {
  const hourly = fleet(100, { duration: '1h' }, 'a');
  assert.is(demandStatus(told(hourly)), undefined);
  // 86,400 s / 1,620 s are 53.33.
  assert.equal(demandStatus(told(hourly, { issuances: 1_000, perMs: 7 * DAY })), {
    certificates: 100,
    issuancesPerDay: 5_340,
    quotaPerDay: 142,
    quotaFrom: 'Quota',
  });
  const figure = (count: number) => demandStatus(told(hourly.slice(0, count), daily(1)))?.issuancesPerDay;
  assert.equal([0, 1, 3, 15, 19].map(figure), [0, 54, 160, 800, 1_020]);
  assert.is(demandStatus(told([wanting({ duration: '2160h' })], daily(1)))?.issuancesPerDay, 1);
});

test('a quota is short from four fifths on, and over beyond the whole', () => {
  // 15 of 53.33 a day each are 800.
  const all = fleet(15, { duration: '1h' }, 'a');
  const reason = (quota: number) => quotaShort(told(all, daily(quota)))[0]?.reason;
  assert.equal([1_001, 1_000, 801, 800, 799].map(reason), [
    undefined,
    'NearQuota',
    'NearQuota',
    'NearQuota',
    'OverQuota',
  ]);
  assert.equal(quotaShort(told(all)), []);
  assert.equal(quotaShort(told([], daily(1))), []);
});

test('a CA whose certificates are used up within a year is reported, by what was issued already', () => {
  const all = fleet(1_000, { duration: '24h' }, 'a');
  const lifetimeQuota = (quota: number, consumers: readonly Consumer[]) =>
    quotaShort(
      demandOn(
        {
          resource: { limits: UNLIMITED, quota: undefined },
          rateLimit: undefined,
          definition: { capabilities: { lifetimeQuota: quota } },
        },
        consumers,
        NOW,
      ),
    );
  // 2,222 a day: 450 days, and 225.
  assert.equal(lifetimeQuota(1_000_000, all), []);
  const [short] = lifetimeQuota(500_000, all);
  assert.equal([short?.type, short?.reason], ['QuotaShort', 'LifetimeQuota']);
  assert.match(
    short?.message ?? '',
    'which uses up the 500000 that a CA of this kind issues in its life within about 230 days',
  );
  const issued = holding({ duration: '24h' }, DAY, { memory: { revision: 400_000 } });
  assert.match(lifetimeQuota(500_000, [...all, issued])[0]?.message ?? '', 'within about 45 days');
  assert.match(lifetimeQuota(400_000, [...all, issued])[0]?.message ?? '', 'within a day');
  assert.equal(lifetimeQuota(500_000, []), []);
});

test('the condition names the quota, and what uses it up', () => {
  const all = [
    ...fleet(40, { duration: '1h' }, 'many'),
    wanting({ duration: '15m' }, 'quick'),
    ...fleet(3, { duration: '24h' }, 'slow'),
    wanting({ duration: '48h' }, 'slower'),
  ];
  assert.equal(quotaShort(told(all, daily(2_500))), [
    {
      type: 'QuotaShort',
      status: 'True',
      reason: 'NearQuota',
      message:
        'certificates will need 2360 a day, close to the 2500 a day that spec.quota allows; most of it goes to ' +
        '40 like team/many-0 with duration 1h (2140 a day), team/quick with duration 15m (214 a day), ' +
        '3 like team/slow-0 with duration 24h (6.7 a day); longer durations, fewer certificates or a higher quota help',
    },
  ]);
  const [over] = quotaShort(told(all.reverse(), undefined, { rateLimit: { requests: 1, perMs: MINUTE, burst: 1 } }));
  assert.match(over?.message ?? '', 'more than the 1440 a day that the rate limit allows, so renewals will come late');
  assert.match(over?.message ?? '', '40 like team/many-0 with duration', 'whatever the order');
});

test('what is new is a warning, or figures alone', () => {
  const stored = (count: number, quota: number): AuthorityStatus => {
    const demand = told(fleet(count, { duration: '1h' }, 'a'), daily(quota));
    const status = demandStatus(demand);
    const conditions = quotaShort(demand).map((each) => ({ ...each, lastTransitionTime: '2026-01-01T00:00:00Z' }));
    return { conditions, ...(status === undefined ? {} : { demand: status }) };
  };
  const news = (count: number, quota: number, status: AuthorityStatus) =>
    whatIsNew(told(fleet(count, { duration: '1h' }, 'a'), daily(quota)), status);
  assert.is(news(1, 1_000, {}), 'figures');
  assert.is(news(1, 1_000, stored(1, 1_000)), undefined);
  assert.is(news(2, 1_000, stored(1, 1_000)), 'figures');
  assert.is(news(16, 1_000, stored(1, 1_000)), 'warning');
  assert.is(news(16, 1_000, stored(16, 1_000)), undefined);
  assert.is(news(17, 1_000, stored(16, 1_000)), 'warning', 'the message has figures too');
  assert.is(news(19, 1_000, stored(16, 1_000)), 'warning');
  assert.is(news(1, 1_000, stored(16, 1_000)), 'warning', 'it ends');
  assert.is(whatIsNew(told([]), stored(1, 1_000)), 'figures', 'there is no quota any more');
});

test('10,000 certificates are reckoned with in no time', () => {
  const all = Array.from({ length: 10_000 }, (_, index) => holding({ duration: `${60 + (index % 50)}m` }, HOUR));
  told(all, daily(1));
  const tenMs = cpuMs(() => {
    for (let run = 0; run < 10; run++) quotaShort(told(all, daily(1)));
  });
  if (process.env.DEBUG) console.error(`${(tenMs / 10).toFixed(1)} ms`);
  assert.ok(tenMs / 10 < 500, `${tenMs / 10} ms`);
});

test.run();
