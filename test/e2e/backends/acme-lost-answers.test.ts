import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPending } from '../../../src/backends/backend.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { leafOf } from '../../unit/issue-request.ts';
import { thrownBy } from '../../unit/thrown-by.ts';
import { acmeRequest, issueAll } from './acme-direct.ts';
import {
  acmeBehindProxy,
  changed,
  isAuthorization,
  isCertificate,
  isFinalize,
  isOrder,
  isOrderItself,
} from './acme-proxied.ts';

// Orders that take long, answers that get lost, tickets that were forged, and two replicas.

const { signal } = new AbortController();
const { setUp, stop } = acmeBehindProxy();

test('an order that never ends is waited for later, and its message stays the same', async () => {
  const one = await setUp();
  await one.backend.check(signal);
  const request = await acmeRequest();
  const first = await one.backend.issue(request, signal);
  assert.ok(isPending(first));
  one.proxy.meddle(async (exchange, pass) => {
    const answer = await pass();
    if (isOrderItself(exchange))
      return changed(answer, (body) => ({ ...body, status: 'processing' }), { 'retry-after': '90' });
    return answer;
  });
  const messages = new Set<string>();
  for (let times = 0; times < 2; times++) {
    const answer = await one.backend.issue({ ...request, ticket: first.ticket }, signal);
    assert.ok(isPending(answer) && answer.pollAfterMs === 90_000);
    assert.is(answer.ticket, first.ticket);
    messages.add(answer.message);
  }
  assert.is(messages.size, 1);
  one.proxy.meddle(undefined);
  assert.ok(leafOf(await issueAll(one.backend, { ...request, ticket: first.ticket })));
});

test('an answer that is lost at any point: the same order goes on, and its certificate is for the same key', async () => {
  for (const lost of [isOrder, isOrderItself, isAuthorization, isFinalize, isCertificate]) {
    const one = await setUp();
    await one.backend.check(signal);
    const request = await acmeRequest();
    let isLost = false;
    one.proxy.meddle(async (exchange, pass) => {
      const answer = await pass();
      if (isLost || !lost(exchange)) return answer;
      isLost = true;
      throw new Error('lost on the way');
    });
    let ticket: string | undefined;
    // A process that ended right then: another one goes on with what was kept.
    for (let times = 0; times < 3; times++) {
      const { backend } = one.direct();
      const answer = await backend.issue({ ...request, ticket }, signal).catch(() => undefined);
      if (answer !== undefined && isPending(answer)) ticket = answer.ticket;
    }
    assert.ok(isLost);
    const leaf = leafOf(await issueAll(one.direct().backend, { ...request, ticket }));
    assert.ok(leaf.publicKeyDer.equals(request.publicKey));
  }
});

test('a ticket of another namespace, or of another request, reaches no order', async () => {
  const one = await setUp();
  const [mine, theirs] = [await acmeRequest({ namespace: 'mine' }), await acmeRequest({ namespace: 'theirs' })];
  const pending = await one.backend.issue(theirs, signal);
  assert.ok(isPending(pending));
  const { ticket } = pending;
  const from = one.proxy.exchanges.length;
  for (const forged of [
    { ...mine, ticket },
    { ...theirs, id: mine.id, ticket },
    { ...theirs, ticket: ticket.replace('/order/', '/order/x') },
    { ...theirs, ticket: ticket.split('#')[0] },
    { ...theirs, ticket: 'https://127.0.0.2:1/order#AAAA' },
  ]) {
    const fresh = one.direct();
    const error = (await thrownBy(fresh.backend.issue(forged, signal))) as CertwheelError;
    assert.is(error.code, 'RequestFailed');
    await fresh.backend.forget?.(forged, signal);
  }
  assert.ok(one.proxy.exchanges.slice(from).every((each) => !isOrderItself(each)));
  assert.ok(leafOf(await issueAll(one.backend, { ...theirs, ticket })));
});

test('two replicas with the same request end with one order and certificates for one key', async () => {
  const one = await setUp();
  await one.backend.check(signal);
  const request = await acmeRequest();
  const first = await one.backend.issue(request, signal);
  assert.ok(isPending(first));
  const asked = { ...request, ticket: first.ticket };
  const two = [one.direct().backend, one.direct().backend];
  const ended = await Promise.allSettled(two.map((each) => issueAll(each, asked)));
  const serials = ended.flatMap((each) => (each.status === 'fulfilled' ? [leafOf(each.value).serialNumber] : []));
  assert.ok(serials.length >= 1);
  assert.is(new Set(serials).size, 1);
});

test.after(stop);
test.run();
