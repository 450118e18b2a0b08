import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ApiError } from '../errors.ts';
import { authenticated } from './authentication.ts';
import { plain } from './metrics-page.ts';
import type { Page } from './server.ts';
import type { Verdict } from './token-reviews.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-bmF_dHVyZQ==';

/** The response to a request with this header, which tokens were reviewed, and what was logged. */
async function ask(authorization: string | undefined, verdict: Verdict | Error) {
  const shown: string[] = [];
  const logged: string[] = [];
  const of = async (token: string) => {
    shown.push(token);
    if (verdict instanceof Error) throw verdict;
    return verdict;
  };
  const log = { error: (message: string, fields = {}) => logged.push(message + JSON.stringify(fields)) };
  const page = authenticated({ of }, log as never, () => plain(200, 'metrics'));
  const request = { headers: { authorization } } as never;
  const answers: Page[] = [await page(request, {} as never), await page(request, {} as never)];
  assert.equal(answers[0], answers[1]);
  return { shown, logged, ...plain(0, ''), ...answers[0] };
}

test('without a token nothing is reviewed, and nothing served', async () => {
  const headers = [undefined, '', 'Bearer', 'Bearer ', 'Basic YTpi', `${TOKEN}`, 'Bearer two words', 'Bearer a\u00e9'];
  for (const header of headers) {
    const { status, body, headers: sent, shown } = await ask(header, 'allowed');
    assert.is(status, 401, header);
    assert.match(String(body), /Authorization: Bearer/);
    assert.equal(sent, { 'www-authenticate': 'Bearer' });
    assert.equal(shown, []);
  }
});

test('the scheme may be in upper or lower case', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    const { status, shown } = await ask(`${scheme} ${TOKEN}`, 'allowed');
    assert.equal([status, shown], [200, [TOKEN, TOKEN]]);
  }
});

const ANSWERS: Record<Verdict, [status: number, sentence: RegExp]> = {
  allowed: [200, /^metrics\n$/],
  forbidden: [403, /may not get the non-resource URL \/metrics/],
  unauthenticated: [401, /^the API server refuses this token/],
  throttled: [503, /try again in a second/],
};

for (const [verdict, [expected, sentence]] of Object.entries(ANSWERS)) {
  test(`${verdict} is answered ${expected}`, async () => {
    const { status, body, logged } = await ask(`Bearer ${TOKEN}`, verdict as Verdict);
    assert.is(status, expected);
    assert.match(String(body), sentence);
    assert.equal(logged, []);
  });
}

test('a failed review serves nothing, and is logged once, without the token', async () => {
  const { status, body, logged } = await ask(`Bearer ${TOKEN}`, new ApiError(0, 'NoAnswer', `refused ${TOKEN}`));
  assert.is(status, 503);
  assert.match(String(body), /could not review this token/);
  assert.is(logged.length, 1);
  assert.not.match(`${logged}${body}`, TOKEN);
});

test.run();
