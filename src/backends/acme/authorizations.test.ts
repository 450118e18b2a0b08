import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { generateKey } from '../../pki/keys.ts';
import { Prover } from './authorizations.ts';
import { accountKey } from './jws.ts';
import type { Order } from './order.ts';
import type { Session } from './session.ts';
import type { Solver } from './solver.ts';

const { signal } = new AbortController();
const URL_OF_IT = 'https://ca.example/authz/1';

/** A server that answers with this authorization; notes the domains that a solver was given. */
async function proverFor(identifier: object, type: Solver['type'] = 'dns-01') {
  const domains: string[] = [];
  const solver: Solver = {
    type,
    present: async ({ domain }) => void domains.push(domain),
    cleanUp: async ({ domain }) => void domains.push(domain),
  };
  const body = {
    status: 'pending',
    identifier,
    challenges: [{ type, status: 'valid', url: URL_OF_IT, token: 'token' }],
  };
  const looks = [body, { ...body, status: 'valid' }];
  const session: Pick<Session, 'askJson' | 'own' | 'server'> = {
    server: 'https://ca.example',
    own: String,
    askJson: async () => ({
      answer: { status: 200, headers: {}, all: () => [], bytes: Buffer.alloc(0), retryAfterMs: undefined },
      body: looks.shift() ?? body,
    }),
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const deps = { clock: new FakeClock(new Date('2026-06-01T12:00:00Z')), log, name: 'shop/acme' };
  const account = {
    key: accountKey(await generateKey({ algorithm: 'ECDSA', size: 256 })),
    url: 'https://ca.example/1',
  };
  return { prover: new Prover(session as Session, () => solver, deps), account, domains };
}

function orderFor(value: string, type: 'dns' | 'ip' = 'dns'): Order {
  return {
    status: 'pending',
    identifiers: [{ type, value }],
    authorizations: [URL_OF_IT],
    finalize: undefined,
    certificate: undefined,
    error: undefined,
  };
}

for (const [what, identifier] of [
  ['another name', { type: 'dns', value: 'db.bank.svc' }],
  ['a name with lines of text', { type: 'dns', value: 'a.example\r\nflushall\r\n' }],
  ['an address', { type: 'ip', value: '10.0.0.1' }],
  ['the domain above', { type: 'dns', value: 'example' }],
] as const)
  test(`a server that wants proof of ${what} has no challenge presented, and none removed`, async () => {
    const { prover, account, domains } = await proverFor(identifier);
    const order = orderFor('a.example');
    const error = await prover.prove(order, new Map(), false, account, signal).catch((thrown: Error) => thrown);
    assert.match(String(error), /none of the names that were asked for/);
    await prover.cleanUp(await prover.ofOrder(order, account, signal), signal);
    assert.equal(domains, []);
  });

for (const [asked, identifier] of [
  ['a.example', { type: 'dns', value: 'A.example' }],
  ['*.a.example', { type: 'dns', value: 'a.example' }],
] as const)
  test(`the name ${asked} is proven`, async () => {
    const { prover, account, domains } = await proverFor(identifier);
    const proof = await prover.prove(orderFor(asked), new Map(), false, account, signal);
    assert.is(proof.isThrough, true);
    assert.equal(domains, ['a.example']);
  });

test.run();
