/** How the benches count, order and print, and that docs/performance.md shows what they print. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { between, describeRequests, readsIn, watchesIn, writesIn } from '../bench/audit-tail.ts';
import { type Place, placesOff, shareOutOfOrder } from '../bench/expiry-order.ts';
import type { Round } from '../bench/peers/round.ts';
import { peersTable } from '../bench/peers/table.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8');

const round = (peer: string, seconds: number): Round => ({
  peer,
  seconds,
  requests: { 'patch secrets': 400, 'create events': 800 },
  controllerCpuMs: 2_000,
  apiServerCpuMs: 8_000,
  memoryMb: 100,
});
const ROUNDS = [round('Certwheel', 4), round('other', 20), round('other', 30), round('Certwheel', 6)];

test('the table of peers has a column for each product, with the mean of its rounds and the rounds', () => {
  const [head, , first = '', writes = ''] = peersTable(ROUNDS, 400).split('\n');
  assert.is(head, '| figure | Certwheel | other |');
  assert.match(first, /\| 5\.0 s \(4\.0, 6\.0\) \| 25\.0 s \(20\.0, 30\.0\) \|$/);
  assert.match(writes, /\| 3\.00 \(3\.00, 3\.00\) \|/);
});

test('docs/performance.md shows the table of peers with the rows that make bench-peers prints', () => {
  const names = (table: string) => table.split('\n').map((line) => line.split('|')[1]?.trim());
  const section = /\n## Beside cert-manager\n(.*?)\n## /s.exec(PAGE)?.[1] ?? '';
  const shown = section.split('\n').filter((line) => line.startsWith('|'));
  assert.equal(names(shown.join('\n')), names(peersTable(ROUNDS, 400)));
});

test('requests are counted between two readings, and a Lease that is renewed is no write', () => {
  const requests = between(
    { 'patch secrets': 1, 'get secrets': 5 },
    { 'patch secrets': 4, 'get secrets': 5, 'watch secrets': 1, 'patch leases': 9, 'delete pods': 1 },
  );
  assert.equal(requests, { 'patch secrets': 3, 'watch secrets': 1, 'patch leases': 9, 'delete pods': 1 });
  assert.is(writesIn(requests), 4);
  assert.equal([readsIn(requests), watchesIn(requests)], [0, 1]);
  assert.is(describeRequests({ 'patch secrets': 3, 'create events': 6 }, 3), 'create events 2.00, patch secrets 1.00');
});

test('certificates are out of order if another one expires at their place', () => {
  const place = (key: string, resourceVersion: number, expiresMs: number): Place => ({
    ...{ key, resourceVersion, expiresMs },
    dueMs: 0,
  });
  const before = ['a', 'b', 'c', 'd'].map((key, index) => place(key, 0, index * 60_000));
  const rotated = (...keys: readonly string[]) => keys.map((key, index) => place(key, 100 + index, 0));
  assert.is(shareOutOfOrder(rotated('a', 'b', 'c', 'd'), before), 0);
  assert.is(shareOutOfOrder(rotated('a', 'c', 'b', 'd'), before), 0.5);
  // By the versions of the objects, whatever order they are listed in.
  assert.is(shareOutOfOrder(rotated('a', 'b', 'c', 'd').reverse(), before), 0);
  assert.equal(placesOff(rotated('d', 'a', 'b', 'c'), before), [3, 1, 1, 1]);
});

test('certificates that expire in the same second share their places', () => {
  const at = (key: string, resourceVersion: number, expiresMs: number): Place => ({
    ...{ key, resourceVersion, expiresMs },
    dueMs: 0,
  });
  const before = [at('a', 0, 1_000), at('b', 0, 1_000), at('c', 0, 1_000), at('d', 0, 2_000)];
  const rotated = ['c', 'd', 'b', 'a'].map((key, index) => at(key, index, 0));
  assert.equal(placesOff(rotated, before), [0, 2, 0, 1]);
});

test.run();
