import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shared } from './shared.ts';

test('equal values become one', () => {
  const first = shared({ kind: 'CertificateAuthority', name: 'ca' });
  assert.ok(shared({ kind: 'CertificateAuthority', name: 'ca' }) === first);
});

test('a shared value is equal to the given one', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.constant(undefined))), (values) => {
      for (const value of values) assert.equal(shared(value), value);
    }),
  );
});

test('a text is not taken for the value that is written like it', () => {
  assert.equal(shared(['a']), ['a']);
  assert.is(shared('["a"]'), '["a"]');
});

test('however many there are, no value is lost or mistaken', () => {
  for (let n = 0; n < 5_000; n++) assert.equal(shared({ n }), { n });
});

test('a long value is left alone', () => {
  const [one, other] = [{ text: 'x'.repeat(5_000) }, { text: 'x'.repeat(5_000) }];
  assert.ok(shared(one) === one && shared(other) === other);
});

test.run();
