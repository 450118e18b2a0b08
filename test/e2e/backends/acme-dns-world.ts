import { randomBytes } from 'node:crypto';
import type { AcmeSolver, Rfc2136Solver } from '../../../src/api/generated/types.ts';
import type { SolverChallenge } from '../../../src/backends/acme/solver.ts';
import { recordValue } from '../../../src/backends/acme/solvers/record.ts';
import { type SolverDeps, solversOf } from '../../../src/backends/acme/solvers/solvers-of.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Logger } from '../../../src/log.ts';
import type { TestKey } from './servers/bind.ts';

/** Keys that a named of these tests knows. */
export const KEYS = {
  certwheel: makeKey('certwheel', 'hmac-sha256'),
  narrow: makeKey('narrow', 'hmac-sha512'),
  sha224: makeKey('sha224', 'hmac-sha224'),
  sha384: makeKey('sha384', 'hmac-sha384'),
} as const satisfies Readonly<Record<string, TestKey>>;

function makeKey(name: string, algorithm: string): TestKey {
  return { name, algorithm, secret: randomBytes(32).toString('base64') };
}

/** A challenge with a token of its own, and the value of its TXT record. */
export function challengeOf(domain: string): SolverChallenge & { readonly value: string } {
  const token = randomBytes(16).toString('base64url');
  const thumbprint = randomBytes(32).toString('base64url');
  const keyAuthorization = `${token}.${thumbprint}`;
  return { domain, token, thumbprint, keyAuthorization, value: recordValue(keyAuthorization) };
}

export interface DepsChange {
  readonly clusterWide?: boolean;
  readonly loopback?: boolean;
  readonly clock?: Clock;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly logged?: string[];
}

/** Secrets `NAME` with the key `tsig` for each of KEYS, and what is given besides. */
export function depsOf({
  clusterWide = true,
  loopback = true,
  clock = systemClock,
  secrets = {},
  logged = [],
}: DepsChange = {}): SolverDeps {
  const all: Record<string, string> = {
    ...Object.fromEntries(Object.values(KEYS).map((key) => [key.name, key.secret])),
    ...secrets,
  };
  const log = { warn: (message: string, fields: object) => logged.push(`${message} ${JSON.stringify(fields)}`) };
  return {
    name: clusterWide ? 'ca' : 'shop/ca',
    clusterWide,
    clock,
    addresses: { loopback },
    secret: async (name) => (Object.hasOwn(all, name) ? { tsig: Buffer.from(`${all[name]}\n`) } : undefined),
    objects: { namespace: 'shop' } as SolverDeps['objects'],
    log: log as unknown as Logger,
  };
}

/** The solver of one spec, for any name. */
export function solverFor(spec: AcmeSolver, change: DepsChange = {}) {
  const solver = solversOf([spec], depsOf(change))('any.name');
  if (solver === undefined) throw new Error('no solver');
  return solver;
}

export function rfc2136(port: number, change: Partial<Rfc2136Solver> = {}): Rfc2136Solver {
  return {
    nameserver: `127.0.0.1:${port}`,
    tsigKeyName: 'certwheel',
    tsigAlgorithm: 'HMACSHA256',
    tsigSecretSecretRef: { name: 'certwheel', key: 'tsig' },
    ...change,
  };
}
