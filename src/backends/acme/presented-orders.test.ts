import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PresentedOrders } from './presented-orders.ts';
import type { Solver } from './solver.ts';

const solver: Solver = { type: 'dns-01', present: async () => {}, cleanUp: async () => {} };
const challenge = { domain: 'a.example', token: 'token', keyAuthorization: 'token.x', thumbprint: 'x' };

function sizeOf(orders: PresentedOrders, urls: readonly string[]) {
  const kept = urls.flatMap((url) => orders.of(url) ?? []);
  return { orders: kept.length, challenges: kept.reduce((sum, { size }) => sum + size, 0) };
}

test('a server that never looks at its challenges has no more of them kept than there is room for', () => {
  const orders = new PresentedOrders();
  const urls = Array.from({ length: 1_000 }, (_, index) => `https://ca.example/order/${index}`);
  for (const url of urls) {
    const presented = orders.add(url);
    for (let name = 0; name < 100; name++) presented.set(`${url}/${name}`, { solver, challenge });
  }
  assert.equal(sizeOf(orders, urls), { orders: 51, challenges: 5_100 });
  assert.is(orders.of(urls[999] ?? '')?.size, 100);
});

test('orders without challenges are bounded too, and the oldest goes first', () => {
  const orders = new PresentedOrders();
  const urls = Array.from({ length: 5_001 }, (_, index) => `${index}`);
  for (const url of urls) orders.add(url);
  assert.is(orders.of('0'), undefined);
  assert.ok(orders.of('1') && orders.of('5000'));
  orders.drop('1');
  assert.is(orders.of('1'), undefined);
});

test.run();
