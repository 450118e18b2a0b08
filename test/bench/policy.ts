/**
 * Measures a decision by issuance rules: `make bench-policy`. Prints the CPU time of one decision, by the number of rules and
 * by the rule that fits. Needs no control plane.
 */
import type { ClientCertificate } from '../../src/api/client-certificate.ts';
import { type Permission, permissionOf } from '../../src/policy/permission.ts';
import { aCertificate } from '../unit/builders.ts';
import { rulesOf } from '../unit/rules-of.ts';
import { median } from './statistics.ts';

const COUNTS = [0, 1, 10, 100, 1_000];
const ROUNDS = 9;
const ROUND_MS = 60;
const LABELS = { 'example.com/stage': 'production' };

/** Allows what is asked for. A policy has at most 1,000 patterns, so a rule has one here. */
const FITTING = { uris: ['spiffe://example.com/ns/{namespace}/sa/*'] };

interface Case {
  readonly title: string;
  readonly is: Permission['is'];
  rules(count: number): object[];
  /** The decisions are for so many namespaces in turn; one unless said. */
  readonly namespaces?: number;
}

const CASES: readonly Case[] = [
  { title: 'the last rule fits', is: 'allowed', rules: (count) => [...others(count - 1), FITTING] },
  { title: 'none fits', is: 'denied', rules: others },
  // Nothing that a pattern begins or ends with tells the rules apart, so each of them is checked.
  { title: 'none fits, and all nearly do', is: 'denied', rules: (count) => many(count, nearly) },
  {
    title: 'the last rule fits, 100 namespaces',
    is: 'allowed',
    rules: (count) => [...others(count - 1), FITTING],
    namespaces: 100,
  },
  { title: 'a rule for each namespace', is: 'allowed', rules: (count) => many(count, ofNamespace), namespaces: 100 },
];

function many<Each>(count: number, make: (at: number) => Each): Each[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** Rules that allow the names of other teams. */
function others(count: number): object[] {
  return many(count, (at) => ({ uris: [`spiffe://example.com/ns/other-${at}/sa/*`] }));
}

/** Allows another last segment. */
function nearly(at: number): object {
  return { uris: [`spiffe://example.com/*/*/*/web-${at}`] };
}

function ofNamespace(at: number): object {
  return { ...FITTING, namespaces: { names: [namespaceName(at)] } };
}

function namespaceName(at: number): string {
  return `team-${at}`;
}

function requestOf(namespace: string): ClientCertificate {
  const uris = [`spiffe://example.com/ns/${namespace}/sa/web`];
  return aCertificate({ commonName: undefined, uris }).with({ namespace }).build();
}

function figure({ title, is, rules, namespaces = 1 }: Case, count: number): number {
  const policy = count === 0 ? 'NoOrganizations' : rulesOf(rules(count));
  // Each of them has a rule, also where there is one for each namespace.
  const requests = many(Math.min(namespaces, Math.max(count, 1)), (at) => requestOf(namespaceName(at)));
  for (const request of requests) {
    const found = permissionOf(policy, request, LABELS).is;
    if (count > 0 && found !== is) throw new Error(`${title}: with ${count} rules the request is ${found}`);
  }
  return microsecondsOf((turn) => permissionOf(policy, requests[turn % requests.length] as ClientCertificate, LABELS));
}

/** CPU time of one call. */
function microsecondsOf(call: (turn: number) => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const endMs = performance.now() + ROUND_MS;
    const before = process.cpuUsage();
    let calls = 0;
    do call(calls++);
    while (performance.now() < endMs);
    const { user, system } = process.cpuUsage(before);
    // The first round is for the compiler.
    if (round > 0) rounds.push((user + system) / calls);
  }
  return median(rounds);
}

const rows = CASES.map((each) => [each.title, ...COUNTS.map((count) => figure(each, count).toFixed(1))]);
console.log('CPU of a decision in µs, by the number of rules\n');
for (const [title = '', ...figures] of [['', ...COUNTS.map(String)], ...rows])
  console.log(`${title.padEnd(36)}${figures.map((each) => each.padStart(9)).join('')}`);
