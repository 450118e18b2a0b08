/** What a status and events say of a re-issue that is stopped. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, HOUR } from '../../test/unit/builders.ts';
import { generation, one, two } from '../../test/unit/planned-rotation.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import { type Stop, withStop } from '../rotation/reissue.ts';
import { reissueEvent } from './reissue-event.ts';
import { type RotationFindings, rotatingCondition } from './rotation-status.ts';

const former = generation(1, 'Retiring', one);
const signing = generation(2, 'Active', two);
const failing = ['a', 'b'].map((name) => ({ key: `ns/${name}`, notAfter: after(HOUR), failure: 'Forbidden' }));
const stop: Stop = { failing, maxFailures: 2 };
const FIGURES = '2 certificates fail, and spec.caRotation.reissue.maxFailures is 2';
const QUIET = { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] };

function rotating(found: Partial<RotationFindings>) {
  const generations = [former, signing];
  const rest = { certificates: new Map(), requests: [], source: 'secret', isElsewhere: false };
  const [condition] = rotatingCondition({ generations, signing, plan: QUIET, ...rest, ...found });
  return condition;
}

function statusOf(found: Partial<RotationFindings>): AuthorityStatus {
  const condition = rotating(found);
  if (condition === undefined) return { conditions: [] };
  return { conditions: [{ ...condition, lastTransitionTime: '2026-06-01T12:00:00Z' }] };
}

test('a re-issue that is stopped is the reason of Rotating, whatever the next step waits for', () => {
  const condition = rotating({ stop });
  assert.is(condition?.reason, 'ReissueStopped');
  assert.is(
    condition?.message,
    `certificates of generation 1 are being re-issued; re-issue is stopped, since ${FIGURES}`,
  );
  assert.is(rotating({})?.reason, 'Reissuing');
});

test('where the next step waits for the certificates that fail, they are named, and the figures are said once', () => {
  const hold = {
    reason: 'CertificatesInUse',
    message: 'they are re-issued',
    until: undefined,
    waitingFor: [],
  } as const;
  const next = { generation: former, to: 'Retired' } as const;
  const message = rotating({ plan: withStop({ ...QUIET, next, hold }, stop), stop })?.message ?? '';
  assert.match(message, `generation 1 becomes Retired once they are re-issued; re-issue is stopped, since ${FIGURES}`);
  assert.match(message, 'waiting for 2 certificates, such as ns/a (Forbidden), ns/b (Forbidden)');
  assert.is(message.split(FIGURES).length, 2);
});

test('a CA of a former backend that never signed is not said to come', () => {
  const former = { ...generation(3, 'Trusted', two), source: 'selfManaged' };
  const never = 'generation 3 of the former backend selfManaged never signs';
  for (const generations of [[former], [generation(1, 'Retiring', one), former]]) {
    const found = rotating({ generations, signing: undefined });
    assert.match(found?.message ?? '', never);
    assert.not.match(found?.message ?? '', "doesn't sign yet");
    assert.is(found?.reason, 'Reissuing');
  }
  const coming = generation(4, 'Prepared', one);
  const both = rotating({ generations: [former, coming], signing: undefined });
  assert.match(both?.message ?? '', `generation 4 goes into every ca.crt before it signs; ${never}`);
});

test('a CA rotation that stands still, since its CA cannot be read, says so', () => {
  const refused = { code: 'CASecretNotFound', message: 'there is no Secret' } as const;
  const generations = [generation(1, 'Active', one), generation(2, 'Trusted', two)];
  const message = "generation 2 is trusted, and doesn't sign yet; no step is taken before CASecretNotFound is mended";
  assert.is(rotating({ generations, refused })?.message, message);
  assert.is(rotating({ generations, trouble: refused })?.message, message);
  const next = { generation: former, to: 'Retired' } as const;
  assert.not.match(rotating({ refused, plan: { ...QUIET, next } })?.message ?? '', 'no step');
});

test('a CA that another machine has given up before it was Active, and of which a certificate is held, is said to leave', () => {
  const givenUp = generation(2, 'Prepared', two);
  const signing = generation(1, 'Active', one);
  const hold = { reason: 'CertificatesInUse', message: 'they have ended', until: undefined, waitingFor: [] } as const;
  const plan = { ...QUIET, next: { generation: givenUp, to: 'Retired' } as const, hold };
  const condition = rotating({ generations: [signing, givenUp], signing, plan, isElsewhere: true });
  assert.is(
    condition?.message,
    'generation 2 is trusted until no valid certificate of it is left; generation 2 becomes Retired once they have ended',
  );
});

test('a re-issue that stops causes one event, and one when it goes on; none when no former CA is left', () => {
  const [stopped, goesOn] = [statusOf({ stop }), statusOf({})];
  const begins = reissueEvent(goesOn, stopped, stop);
  assert.equal([begins?.type, begins?.reason], ['Warning', 'CAReissueStopped']);
  assert.match(begins?.note ?? '', `${FIGURES}; such as ns/a (Forbidden), ns/b (Forbidden)`);
  assert.is(reissueEvent(stopped, stopped, stop), undefined, 'while it lasts');
  const ends = reissueEvent(stopped, goesOn, undefined);
  assert.equal([ends?.type, ends?.reason], ['Normal', 'CAReissueResumed']);
  assert.is(reissueEvent(goesOn, goesOn, undefined), undefined);
  assert.is(reissueEvent(stopped, statusOf({ generations: [signing] }), undefined), undefined);
});

test.run();
