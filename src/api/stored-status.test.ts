import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientCertificateStatus } from './generated/types.ts';
import { isStored, storedStatus } from './stored-status.ts';

const STATUS: ClientCertificateStatus = {
  observedGeneration: 1,
  serialNumber: '0a',
  revision: 3,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Issued', message: 'fine', lastTransitionTime: '2026-06-01T12:00:00Z' },
  ],
};

const objects = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }) as fc.Arbitrary<ClientCertificateStatus>;

test('a status is stored when it is equal, whatever the order of its fields', () => {
  const reversed = Object.fromEntries(Object.entries(STATUS).reverse()) as ClientCertificateStatus;
  assert.ok(isStored(reversed, storedStatus(STATUS)));
  assert.ok(isStored({}, storedStatus({})));
});

test('a difference in any field is one', () => {
  assert.not(isStored({ ...STATUS, serialNumber: '0b' }, storedStatus(STATUS)));
  assert.not(isStored({ ...STATUS, notAfter: '2026-06-01T12:00:00Z' }, storedStatus(STATUS)));
  assert.not(isStored({ ...STATUS, conditions: [] }, storedStatus(STATUS)));
  assert.not(isStored({}, storedStatus(STATUS)));
});

test('two statuses are the same exactly when their JSON is', () => {
  fc.assert(
    fc.property(objects, objects, (one, other) => {
      assert.ok(isStored(structuredClone(one), storedStatus(one)));
      const same = (() => {
        try {
          assert.equal(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
          return true;
        } catch {
          return false;
        }
      })();
      assert.is(isStored(one, storedStatus(other)), same);
    }),
  );
});

test('the fields of a status that decisions need are kept unchanged', () => {
  const trouble = {
    type: 'Issuing',
    status: 'True',
    reason: 'Retrying',
    message: 'it went wrong',
    lastTransitionTime: '2026-06-01T12:00:00Z',
  } as const;
  const { observedGeneration, revision, conditions } = storedStatus({ ...STATUS, conditions: [trouble] });
  assert.equal(
    { observedGeneration, revision, conditions },
    { observedGeneration: 1, revision: 3, conditions: [trouble] },
  );
});

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'Issued',
  message: '',
  lastTransitionTime: '2026-06-01T12:00:00Z',
} as const;

test('the message of a condition that reports success alone is not kept', () => {
  const [ready] = STATUS.conditions ?? [];
  assert.equal(storedStatus(STATUS).conditions, [{ ...ready, message: '' }]);
});

for (const [name, conditions] of Object.entries({
  'with a fraction of a second': [{ ...READY, lastTransitionTime: '2026-06-01T12:00:00.5Z' }],
  'in another time zone': [{ ...READY, lastTransitionTime: '2026-06-01T14:00:00+02:00' }],
  'that is no moment': [{ ...READY, lastTransitionTime: 'yesterday' }],
  'after 2038': [{ ...READY, lastTransitionTime: '2060-06-01T12:00:00Z' }],
  'beside another condition': [READY, { ...READY, type: 'Other', message: 'kept' }],
}))
  test(`the time of a transition is kept as it is written: ${name}`, () => {
    const kept = storedStatus({ ...STATUS, conditions }).conditions;
    assert.equal(
      kept?.map(({ lastTransitionTime }) => lastTransitionTime),
      conditions.map(({ lastTransitionTime }) => lastTransitionTime),
    );
  });

const condition = fc.record(
  {
    type: fc.constantFrom('Ready', 'Stalled', 'BreaksX509SVID'),
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: fc.constantFrom('Issued', 'Expired'),
    message: fc.oneof(fc.constant('the same for many'), fc.string({ maxLength: 40 }), fc.constant('long '.repeat(400))),
    lastTransitionTime: fc.constantFrom('2026-06-01T12:00:00Z', '2026-06-01T12:00:01Z', '2026-06-01T12:00:00.5Z'),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<NonNullable<ClientCertificateStatus['conditions']>[number]>;

test('what many certificates share of their conditions mixes up none of them', () => {
  fc.assert(
    fc.property(fc.array(fc.array(condition, { maxLength: 3 }), { maxLength: 6 }), (all) => {
      const stored = all.map((conditions) => storedStatus({ conditions }));
      const expected = all.map((conditions) =>
        conditions.map((each) => (each.type === 'Ready' && each.status === 'True' ? { ...each, message: '' } : each)),
      );
      assert.equal(
        stored.map(({ conditions }) => conditions),
        expected,
      );
    }),
  );
});

test.run();
