import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorIn, grantIn } from './sts.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const credentials = (fields: Readonly<Record<string, string>>) =>
  `<R><Credentials>${Object.entries(fields)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('\n')}</Credentials></R>`;
const GOOD = {
  AccessKeyId: 'ASIA1',
  SecretAccessKey: 'a/b+c=',
  SessionToken: 'token==',
  Expiration: '2026-06-01T13:00:00Z',
};

test('the keys of a session, and how long they last', () => {
  assert.equal(grantIn(credentials(GOOD), NOW), {
    keys: { accessKeyId: 'ASIA1', secretAccessKey: 'a/b+c=', sessionToken: 'token==' },
    lifeMs: 3_600_000,
  });
  assert.is(grantIn(credentials({ ...GOOD, Expiration: 'soon' }), NOW)?.lifeMs, 3_600_000);
});

test('an answer that lacks a key, or has one that is no word, holds no session', () => {
  for (const name of ['AccessKeyId', 'SecretAccessKey', 'SessionToken'])
    for (const value of ['', 'two words', 'line\r\nbreak', '<b>x</b>', 'é', 'x'.repeat(9_000)])
      assert.is(grantIn(credentials({ ...GOOD, [name]: value }), NOW), undefined, `${name} ${value.slice(0, 20)}`);
  assert.is(grantIn('', NOW), undefined);
});

test('an error has a name, and a message without entities', () => {
  const error = (code: string, message: string) =>
    `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  assert.equal(errorIn(error('AccessDenied', 'a &lt;b&gt; &amp;lt; &quot;c&apos;')), {
    name: 'AccessDenied',
    message: `a <b> &lt; "c'`,
  });
  assert.is(errorIn(error('two words', 'x')), undefined);
  assert.is(errorIn('<html><title>403</title></html>'), undefined);
});

test.run();
