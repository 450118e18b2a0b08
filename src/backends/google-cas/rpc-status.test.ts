import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSeconds, rpcStatusOf } from './rpc-status.ts';

const type = (name: string) => `type.googleapis.com/google.rpc.${name}`;

test('code, message, reason and pause are read', () => {
  const error = {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'Quota exceeded\n for token ya29.secret',
    details: [
      { '@type': type('ErrorInfo'), reason: 'RATE_LIMIT_EXCEEDED' },
      { '@type': type('RetryInfo'), retryDelay: '1.5s' },
    ],
  };
  assert.equal(rpcStatusOf({ body: { error } }, ['ya29.secret']), {
    code: 'RESOURCE_EXHAUSTED',
    message: 'Quota exceeded for token […]',
    reason: 'RATE_LIMIT_EXCEEDED',
    retryDelayMs: 1_500,
  });
});

test('what is no such answer is empty', () => {
  const empty = { code: '', message: '', reason: '', retryDelayMs: undefined };
  for (const body of [undefined, null, [], 'x', { error: 'x' }, { error: { status: 'not a code', details: 'x' } }])
    assert.equal(rpcStatusOf({ body }, []), empty);
});

test('a duration is a number of seconds', () => {
  assert.equal(['3600s', '0s', '0.5s'].map(parseSeconds), [3_600_000, 0, 500]);
  for (const other of ['3600', '1h', '-1s', 's', '1e9s', 3600, undefined, '1.0000000001s'])
    assert.is(parseSeconds(other), undefined);
});

test.run();
