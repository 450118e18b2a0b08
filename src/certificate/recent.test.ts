import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSecret, HOUR, MINUTE, NOW, SECOND } from '../../test/unit/builders.ts';
import { aClientsOwn, aRequest } from '../../test/unit/client-requests.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { contestOf, withAct } from './brakes.ts';
import { decide } from './decision/decide.ts';
import type { Act, Decision, Observed } from './observed.ts';
import { type Recent, RecentActs } from './recent.ts';
import type { SecretView } from './secret/view.ts';
import { isSuspect } from './secret/write.ts';

/** What a rival or a tenant does after each act, and the acts that Certwheel carries out meanwhile. */
interface Provocation {
  readonly resource: (step: number) => ClientCertificate;
  /** The Secret before each reconcile; `written` is the Secret after the last act. */
  readonly secret: (written: SecretView | undefined) => SecretView | undefined;
}

const plain = aCertificate().build();

function another(written: SecretView | undefined): SecretView | undefined {
  if (written === undefined) return undefined;
  return { ...written, certificate: undefined, problem: 'ca.crt is missing', resourceVersion: 'another' };
}

const PROVOCATIONS: Record<string, Provocation> = {
  'deletes the Secret': { resource: () => plain, secret: () => undefined },
  'takes ca.crt away': { resource: () => plain, secret: another },
  'changes a label of the template': {
    resource: () => aCertificate({ secretTemplate: { labels: { team: 'a' } } }).build(),
    secret: (written) => written && { ...written, labels: { team: 'b' }, resourceVersion: 'another' },
  },
  'puts an older Secret back': {
    resource: () => plain,
    secret: (written) =>
      written && {
        ...written,
        resourceVersion: 'another',
        memory: { ...written.memory, issuedAt: after(-10 * HOUR) },
        certificate: {
          ...written.certificate,
          serialNumber: '01',
          notBefore: after(-10 * HOUR),
          notAfter: after(HOUR),
        } as never,
      },
  },
  'changes the spec': {
    resource: (step) =>
      aCertificate({ commonName: `client-${step}` })
        .with({ generation: step + 1 })
        .build(),
    secret: (written) => written,
  },
  'changes the request of a client': {
    resource: (step) => aClientsOwn(aRequest({ publicKeyPin: `pin ${step}` })),
    secret: (written) => written,
  },
  'asks for a renewal': {
    resource: (step) =>
      aCertificate()
        .renewAt(after(step - 1))
        .build(),
    secret: (written) => written,
  },
};

test('requests that are taken away before they are answered, or races that are lost each time, are slowed down too', () => {
  const recent = new RecentActs();
  let acts = 0;
  for (let at = 0; at < 3 * MINUTE; at += 10) {
    const seen = anObserved(plain)
      .build()
      .with({ recent: recent.of('team/client') });
    const decision = decide(seen, after(at));
    if (decision.do !== 'issue') continue;
    acts++;
    recent.keep(plain, withAct(seen, decision, undefined, after(at)));
  }
  assert.ok(acts >= 5 && acts <= 12, `${acts} acts`);
});

test('attempts that fail are left to their own backoff', () => {
  const recent = new RecentActs();
  for (let attempt = 0; attempt < 100; attempt++) {
    const seen = anObserved(plain)
      .build()
      .with({ recent: recent.of('team/client') });
    const decision = decide(seen, NOW);
    assert.is(decision.do, 'issue', `attempt ${attempt}`);
    recent.keep(plain, withAct(seen, decision as Act, undefined, NOW));
    recent.failed(plain, 'InvalidAnswer');
  }
});

/** Reconciles every 10 ms for `ms`, as the watch events of another writer would; answers the moments of the acts. */
function provoke({ resource, secret }: Provocation, ms: number): { acts: Date[]; last: Decision; recent: Recent } {
  const recent = new RecentActs();
  const acts: Date[] = [];
  let written: SecretView | undefined = aSecret(resource(0));
  let step = 0;
  let last: Decision = { do: 'settle', recheckAt: undefined };
  for (let at = 0; at < ms; at += 10) {
    const now = after(at);
    step = at;
    const one = resource(step);
    const seen = anObserved(one)
      .build()
      .with({ secret: secret(written), recent: recent.of('team/client') });
    last = decide(seen, now);
    if (last.do !== 'issue' && last.do !== 'repair') continue;
    acts.push(now);
    recent.keep(one, withAct(seen, last as Act, 'a fight', now));
    written = {
      ...aSecret(one, { memory: { issuedAt: now } }),
      resourceVersion: `written-${at}`,
    };
    recent.wrote(one, written);
  }
  return { acts, last, recent: recent.of('team/client') as Recent };
}

for (const [what, provocation] of Object.entries(PROVOCATIONS)) {
  test(`a writer that ${what} all the time gets five acts at once, then ever fewer`, () => {
    const { acts, last } = provoke(provocation, 3 * MINUTE);
    assert.ok(acts.length >= 5, `${acts.length} acts`);
    assert.ok(acts.filter((each) => each < after(SECOND)).length <= 5);
    assert.ok(acts.length <= 12, `${acts.length} acts in 3 minutes`);
    const gaps = acts.slice(1).map((each, index) => each.getTime() - (acts[index]?.getTime() ?? 0));
    const later = gaps.slice(4);
    assert.equal(
      later,
      [...later].sort((one, other) => one - other),
      'each wait is at least as long as the one before',
    );
    assert.is(last.do, 'wait');
    assert.is(
      'code' in last && last.code,
      /spec|renewal|request of a client/.test(what) ? 'TooManyChanges' : 'SecretContested',
    );
    assert.ok('recheckAt' in last && last.recheckAt !== undefined, 'and says when the next act comes');
  });
}

test('after the wait the last spec is issued', () => {
  const { resource, secret } = PROVOCATIONS['changes the spec'] as Provocation;
  const recent = provoke({ resource, secret }, 30 * SECOND).recent;
  const latest = aCertificate({ commonName: 'the-last' }).with({ generation: 9_999_999 }).build();
  const seen = anObserved(latest)
    .build()
    .with({ secret: aSecret(plain), recent });
  const waits = decide(seen, after(30 * SECOND));
  assert.is(waits.do, 'wait');
  const at = 'recheckAt' in waits ? waits.recheckAt : undefined;
  assert.is(decide(seen, at ?? NOW).do, 'issue');
});

test('one repair in ten minutes comes at once, for ever', () => {
  const rival = PROVOCATIONS['deletes the Secret'] as Provocation;
  const recent = new RecentActs();
  for (let round = 0; round < 50; round++) {
    const now = after(round * 10 * MINUTE);
    const seen = anObserved(plain)
      .build()
      .with({ secret: rival.secret(undefined), recent: recent.of('team/client') });
    const decision = decide(seen, now);
    assert.is(decision.do, 'issue', `round ${round}`);
    recent.keep(plain, withAct(seen, decision as Act, undefined, now));
    recent.wrote(plain, aSecret(plain));
  }
});

test('renewals from the calendar are never slowed down, however short the life', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 86_400 }), fc.integer({ min: 1, max: 99 }), (seconds, percentage) => {
      const resource = aCertificate({ duration: `${seconds}s`, renewBeforePercentage: percentage }).build();
      const recent = new RecentActs();
      let now = NOW;
      let secret: SecretView = aSecret(resource);
      for (let renewal = 0; renewal < 20; renewal++) {
        const look = (): Decision =>
          decide(
            anObserved(resource)
              .build()
              .with({ secret, recent: recent.of('team/client') }),
            now,
          );
        const settled = look();
        now = ('recheckAt' in settled ? settled.recheckAt : undefined) ?? now;
        const due = look();
        assert.is(due.do === 'issue' && due.reason, 'Due', JSON.stringify(due));
        const seen = anObserved(resource)
          .build()
          .with({ secret, recent: recent.of('team/client') });
        recent.keep(resource, withAct(seen, due as Act, undefined, now));
        secret = {
          ...aSecret(resource, {
            certificate: { notBefore: now, notAfter: after(seconds * 1_000, now), serialNumber: `0${renewal}` },
            memory: { issuedAt: now },
          }),
          resourceVersion: `${renewal + 20}`,
        };
        recent.wrote(resource, secret);
      }
    }),
    { numRuns: 50, seed: 11 },
  );
});

test('one change of another writer is one contest, however often the repair of it fails', () => {
  const resource = aCertificate({ secretTemplate: { labels: { team: 'a' } } }).build();
  const recent = new RecentActs();
  const first = { do: 'issue', reason: 'FirstIssue', message: 'there is no Secret yet' } as const;
  recent.keep(resource, withAct(anObserved(resource).build(), first, undefined, NOW));
  recent.wrote(resource, aSecret(resource));
  const changed = { ...aSecret(resource), labels: { team: 'b' }, resourceVersion: 'changed' };
  for (let attempt = 0; attempt < 10; attempt++) {
    const seen = anObserved(resource)
      .build()
      .with({ secret: changed, recent: recent.of('team/client') });
    const decision = decide(seen, after(attempt * SECOND));
    assert.is(decision.do, 'repair', `attempt ${attempt}`);
    recent.keep(resource, withAct(seen, decision as Act, undefined, after(attempt * SECOND)));
    recent.failed(resource, 'InvalidAnswer');
  }
  assert.is(recent.of('team/client')?.contests.length, 1);
});

for (const code of ['SecretRefused', 'Forbidden', 'SecretTooLarge'] as const)
  test(`a write that failed with ${code} is rehearsed from then on until one succeeds, also without a status`, () => {
    const recent = new RecentActs();
    const first = { do: 'issue', reason: 'FirstIssue', message: 'there is no Secret yet' } as const;
    const seen = (): Observed =>
      anObserved(plain)
        .build()
        .with({ recent: recent.of('team/client') });
    const attempt = () => recent.keep(plain, withAct(seen(), first, undefined, NOW));
    attempt();
    recent.failed(plain, 'InvalidAnswer');
    assert.is(isSuspect(seen()), false);
    attempt();
    recent.failed(plain, code);
    assert.is(isSuspect(seen()), true);
    attempt();
    recent.failed(plain, 'InvalidAnswer');
    assert.is(isSuspect(seen()), true);
    attempt();
    recent.wrote(plain, aSecret(plain));
    assert.is(isSuspect(seen()), false);
  });

test('the record of acts is dropped after ten minutes without an act', () => {
  const recent = new RecentActs();
  const first = { do: 'issue', reason: 'FirstIssue', message: 'there is no Secret yet' } as const;
  for (let count = 0; count < 1_000; count++) {
    const resource = aCertificate()
      .with({ name: `c-${count}` })
      .build();
    recent.keep(resource, withAct(anObserved(resource).build(), first, undefined, NOW));
  }
  assert.ok(recent.of('team/c-7') !== undefined);
  const late = aCertificate().with({ name: 'late' }).build();
  recent.keep(late, withAct(anObserved(late).build(), first, undefined, after(11 * MINUTE)));
  assert.is(recent.of('team/c-7'), undefined);
  assert.ok(recent.of('team/late') !== undefined);
});

test('a clock that is set back slows nothing down', () => {
  const rival = PROVOCATIONS['deletes the Secret'] as Provocation;
  const { recent } = provoke(rival, MINUTE);
  const seen = anObserved(plain).build().with({ secret: undefined, recent });
  assert.is(decide(seen, after(MINUTE)).do, 'wait');
  assert.is(decide(seen, after(-HOUR)).do, 'issue');
  const good = anObserved(plain).withSecret().build().with({ recent });
  assert.ok(contestOf(good, after(MINUTE)) !== undefined);
  assert.is(contestOf(good, after(-HOUR)), undefined, 'nor does a fight by a clock that was ahead go on');
});

test.run();
