import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle, first, object, owner, stored } from '../../test/unit/trust-target.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import { TargetsMemory } from './memory.ts';
import { surveyTargets } from './survey.ts';

const NOW = new Date('2026-01-02T00:00:00Z');
const JKS = { type: 'JKS', password: 'changeit' } as const;
const target = (name: string, fields: Partial<TrustTarget> = {}): TrustTarget => ({
  name,
  kind: 'ConfigMap',
  object: 'client-ca',
  signerName: undefined,
  namespaces: undefined,
  formats: [],
  requiredProof: 'Delivered',
  ...fields,
});

function survey(...targets: TrustTarget[]) {
  const wanted = targets.map((each) => ({ target: each, objects: [{ ...object }], trouble: undefined, unreached: [] }));
  const seen = { view: () => stored(bundle(first), NOW), unknown: () => undefined };
  return surveyTargets(owner, wanted, bundle(first), seen, { memory: new TargetsMemory(), now: NOW });
}

test('two targets that mean one object, and the same in it, hold it together', () => {
  const { targets, writes } = survey(target('one'), target('two'));
  assert.equal(
    targets.map(({ objects }) => objects[0]?.isHolding),
    [true, true],
  );
  assert.is(writes.size, 0);
});

test('two targets that mean other files in one object are not written by turns, and the second says why', () => {
  for (const fields of [{ formats: [JKS] }, { crlKey: 'ca.crl' }] satisfies Partial<TrustTarget>[]) {
    const { targets, writes } = survey(target('one'), target('two', fields));
    const [one, two] = targets.map(({ objects }) => objects[0]);
    assert.is(one?.isHolding, true);
    assert.is(two?.trouble?.code, 'TrustTargetNotOwned');
    assert.match(two?.trouble?.message ?? '', 'ConfigMap shop/client-ca is written for target one already');
    assert.ok(two?.view, 'what it holds is a proof still');
    assert.is(writes.size, 0);
  }
});

test.run();
