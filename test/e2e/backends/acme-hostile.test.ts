import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPending } from '../../../src/backends/backend.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { thrownBy } from '../../unit/thrown-by.ts';
import { acmeDirect, acmeRequest, dnsSolver, issueAll } from './acme-direct.ts';
import { acmeBehindProxy, changed, isAuthorization, isOrder, isOrderItself } from './acme-proxied.ts';
import type { Answer, Exchange } from './intercepting-proxy.ts';

// A proxy in front of a real ACME server that answers as no honest server would.

const { signal } = new AbortController();
const ELSEWHERE = 'https://127.0.0.2:1';
const { shared, setUp, stop } = acmeBehindProxy();

/** What comes of a request while the answers that `where` chooses are changed. */
async function outcome(
  where: (exchange: Exchange) => boolean,
  how: (answer: Answer) => Answer,
  act?: (one: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>,
): Promise<string> {
  const one = await setUp();
  if (act === undefined) await one.backend.check(signal);
  one.proxy.meddle(async (exchange, pass) => (where(exchange) ? how(await pass()) : pass()));
  const work = act === undefined ? issueAll(one.backend, await acmeRequest()) : act(one);
  const error = (await thrownBy(work)) as CertwheelError;
  one.proxy.meddle(undefined);
  return `${error.code}: ${error.message}`;
}

const NOT_ASKED = /^InvalidAnswer: .*at https:\/\/127\.0\.0\.2:1, which is not asked/;

for (const name of ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'])
  test(`a directory whose ${name} is on another host is refused`, async () => {
    const told = await outcome(
      ({ path }) => path.endsWith('/directory'),
      (answer) => changed(answer, (body) => ({ ...body, [name]: `${ELSEWHERE}/x` })),
      ({ backend }) => backend.check(signal),
    );
    assert.match(told, NOT_ASKED);
  });

test('a directory whose URL is no https is refused', async () => {
  const told = await outcome(
    ({ path }) => path.endsWith('/directory'),
    (answer) => changed(answer, (body) => ({ ...body, newOrder: String(body.newOrder).replace('https', 'http') })),
    ({ backend }) => backend.check(signal),
  );
  assert.match(told, /^InvalidAnswer: .*newOrder of its directory is at http:/);
});

for (const [what, where, change] of [
  [
    'the Location of an order',
    isOrder,
    (answer: Answer) => changed(answer, (b) => b, { location: `${ELSEWHERE}/order` }),
  ],
  [
    'an authorization',
    isOrderItself,
    (answer: Answer) => changed(answer, (b) => ({ ...b, authorizations: [`${ELSEWHERE}/a`] })),
  ],
  [
    'finalize',
    isOrderItself,
    (answer: Answer) => changed(answer, (b) => ({ ...b, status: 'ready', finalize: `${ELSEWHERE}/f` })),
  ],
  [
    'the certificate',
    isOrderItself,
    (answer: Answer) => changed(answer, (b) => ({ ...b, status: 'valid', certificate: `${ELSEWHERE}/c` })),
  ],
  [
    'a challenge',
    isAuthorization,
    (answer: Answer) => changed(answer, (b) => ({ ...b, challenges: elsewhere(b.challenges) })),
  ],
] as const)
  test(`${what} on another host is not asked`, async () => {
    assert.match(await outcome(where, change), NOT_ASKED);
  });

function elsewhere(challenges: unknown): object[] {
  return (challenges as object[]).map((each) => ({ ...each, url: `${ELSEWHERE}/chall` }));
}

test('a token that is a path is taken by no solver', async () => {
  const told = await outcome(isAuthorization, (answer) =>
    changed(answer, (body) => ({
      ...body,
      challenges: (body.challenges as object[]).map((each) => ({ ...each, token: '../../etc/passwd' })),
    })),
  );
  assert.match(told, /^RequestFailed: .*the challenges none that can be read/);
});

test('nonces that are refused for ever end with a refusal, after a few requests', async () => {
  const one = await setUp();
  await one.backend.check(signal);
  const body = JSON.stringify({
    type: 'urn:ietf:params:acme:error:badNonce',
    detail: 'JWS has an invalid anti-replay nonce',
  });
  const from = one.proxy.exchanges.length;
  one.proxy.meddle(async (exchange, pass) => {
    const answer = await pass();
    return isOrder(exchange) ? { ...answer, status: 400, body } : answer;
  });
  const error = (await thrownBy(issueAll(one.backend, await acmeRequest()))) as CertwheelError;
  assert.is(error.code, 'AuthorityUnavailable');
  assert.match(error.message, 'badNonce');
  assert.is(one.proxy.exchanges.slice(from).filter(isOrder).length, 8);
});

test('an order for another name is not finalized', async () => {
  const told = await outcome(isOrderItself, (answer) =>
    changed(answer, (body) => ({ ...body, identifiers: [{ type: 'dns', value: 'other.example.com' }] })),
  );
  assert.match(told, /^RequestFailed: .*with other names than were asked for/);
});

test('the limit of the server is obeyed, with its moment', async () => {
  const one = await setUp();
  await one.backend.check(signal);
  const body = JSON.stringify({ type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many orders' });
  one.proxy.meddle(async (exchange, pass) =>
    isOrder(exchange) ? { status: 429, headers: { 'retry-after': '7' }, body } : pass(),
  );
  const error = (await thrownBy(one.backend.issue(await acmeRequest(), signal))) as CertwheelError;
  assert.equal([error.code, error.retryAfterMs], ['AuthorityBusy', 7_000]);
});

test('a name that the policy of the server refuses is denied, with the names of the subproblems', async () => {
  const told = await outcome(isOrder, (answer) => ({
    ...answer,
    status: 403,
    body: JSON.stringify({
      type: 'urn:ietf:params:acme:error:rejectedIdentifier',
      detail: 'some names are refused',
      subproblems: [
        {
          type: 'urn:ietf:params:acme:error:caa',
          detail: 'CAA forbids',
          identifier: { type: 'dns', value: 'x.example.com' },
        },
      ],
    }),
  }));
  assert.match(told, /^RequestDenied: .*some names are refused; x\.example\.com: CAA forbids \(rejectedIdentifier\)/);
});

test('what can not be proven is told of with the reason of the server, and cleaned up', async () => {
  const { spec, answers } = await shared.get();
  const cleaned: string[] = [];
  const { backend } = acmeDirect(spec, {
    solverFor: () => ({
      ...dnsSolver(answers),
      // It presents nothing.
      present: async () => {},
      cleanUp: async ({ domain }) => void cleaned.push(domain),
    }),
  });
  const request = await acmeRequest({ names: { dnsNames: ['unproven.example.com'] } });
  const pending = await backend.issue(request, signal);
  assert.ok(isPending(pending));
  // step-ca tries again and again, so that the server never says no; the order is waited for.
  const answer = await backend.issue({ ...request, ticket: pending.ticket }, signal).catch((error: unknown) => error);
  if (answer instanceof Error) assert.match(answer.message, 'unproven.example.com');
  await backend.forget?.({ ...request, ticket: pending.ticket }, signal);
  assert.equal(cleaned, ['unproven.example.com']);
});

test('the names and usages that ACME can not carry are refused before any request', async () => {
  const one = await setUp();
  const from = one.proxy.exchanges.length;
  const messageOf = async (wished: Parameters<typeof acmeRequest>[0], direct = one) => {
    const error = (await thrownBy(direct.backend.issue(await acmeRequest(wished), signal))) as CertwheelError;
    return `${error.code}: ${error.message}`;
  };
  await one.backend.check(signal);
  const asked = one.proxy.exchanges.length;
  assert.match(
    await messageOf({ commonName: 'alice' }),
    /^UnsupportedByAuthority: spec.commonName alice is not one of spec.dnsNames/,
  );
  assert.match(
    await messageOf({ usages: ['digital signature', 'server auth'] }),
    /^UnsupportedByAuthority: spec.usages lacks client auth/,
  );
  assert.match(await messageOf({ names: {} }), /^UnsupportedByAuthority: there is no name/);
  assert.match(
    await messageOf({ names: { ipAddresses: ['192.0.2.1'] } }),
    /^UnsupportedByAuthority: the address 192.0.2.1 takes a solver of kind http01/,
  );
  assert.is(one.proxy.exchanges.length, asked);
  assert.ok(asked > from);
});

test.after(stop);
test.run();
