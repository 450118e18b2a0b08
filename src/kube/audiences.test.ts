import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { audiencesOf } from './audiences.ts';

const bearer = (payload: unknown) => ({
  authorization: `Bearer e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`,
});

test('the audiences of a token are read in both forms', () => {
  assert.equal(audiencesOf(bearer({ aud: ['https://kubernetes.default.svc', 'k3s'] })), [
    'https://kubernetes.default.svc',
    'k3s',
  ]);
  assert.equal(audiencesOf(bearer({ aud: 'api' })), ['api']);
});

test('a text that is no such token has no audiences', () => {
  for (const headers of [
    {},
    { authorization: '' },
    { authorization: 'Basic YTpi' },
    { authorization: 'Bearer opaque' },
    { authorization: 'Bearer a.b.c' },
    bearer({}),
    bearer(null),
    bearer({ aud: [1, null] }),
  ])
    assert.equal(audiencesOf(headers), []);
});

test.run();
