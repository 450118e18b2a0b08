import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseSolver } from './select.ts';

const SOLVERS = [
  { dnsZones: ['example.com'] },
  undefined,
  { dnsNames: ['www.example.com'] },
  { dnsZones: ['team.example.com', 'example.org'] },
  { dnsNames: ['*.wild.example.com'] },
  { dnsNames: ['both.example.net'], dnsZones: ['example.com'] },
  {},
];

for (const [domain, index, why] of [
  ['www.example.com', 2, 'the name itself wins over its zone'],
  ['WWW.Example.COM', 2, 'case counts nothing'],
  ['a.team.example.com', 3, 'the longest zone wins'],
  ['team.example.com', 3, 'a zone holds its own name'],
  ['ateam.example.com', 0, 'a zone ends at a dot'],
  ['example.com', 0, 'a zone holds its own name'],
  ['wild.example.com', 4, 'a wildcard is proven by the name below it'],
  ['*.wild.example.com', 4, 'a wildcard is proven by the name below it'],
  ['*.example.com', 0, 'a wildcard of the zone itself'],
  ['both.example.net', 1, 'every given list must hold the name'],
  ['example.net', 1, 'of two without a selector the first'],
] as const) {
  test(`${domain}: ${why}`, () => assert.is(chooseSolver(domain, SOLVERS), index));
}

test('a name that no selector holds has no solver', () => {
  assert.is(chooseSolver('example.net', [{ dnsZones: ['example.com'] }]), undefined);
  assert.is(chooseSolver('example.net', []), undefined);
});

test.run();
