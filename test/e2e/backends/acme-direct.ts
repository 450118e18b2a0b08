import { createHash, randomUUID } from 'node:crypto';
import type { AcmeBackend } from '../../../src/api/generated/types.ts';
import { Account } from '../../../src/backends/acme/account.ts';
import { acmeBackend } from '../../../src/backends/acme/backend.ts';
import { downloadChain } from '../../../src/backends/acme/chain.ts';
import { Session } from '../../../src/backends/acme/session.ts';
import type { Solver, SolverFor } from '../../../src/backends/acme/solver.ts';
import { type Backend, type Issued, type IssueRequest, isPending } from '../../../src/backends/backend.ts';
import type { BackendDeps, ReferencedData } from '../../../src/backends/backend-deps.ts';
import type { BackendState, KeptState } from '../../../src/backends/backend-state.ts';
import { systemClock } from '../../../src/clock.ts';
import { ApiError } from '../../../src/errors.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { makeCsr } from '../../../src/pki/csr.ts';
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { type Names, NO_NAMES } from '../../../src/pki/san.ts';
import type { ChallengeServer } from './servers/challenges.ts';

const { signal } = new AbortController();

/** A Secret that keeps an account, in memory, with the API server's precondition. */
export class StateInMemory implements BackendState {
  kept: KeptState | undefined;
  writes = 0;

  async read(): Promise<KeptState | undefined> {
    return this.kept;
  }

  async write(data: ReferencedData, previous: KeptState | undefined): Promise<KeptState> {
    if (previous?.resourceVersion !== this.kept?.resourceVersion) throw new ApiError(409, 'Conflict', 'it has changed');
    this.writes++;
    this.kept = { data, place: 'test/ca-acme-account', uid: 'uid', resourceVersion: String(this.writes) };
    return this.kept;
  }
}

export type DirectSpec = Pick<AcmeBackend, 'server' | 'trustBundle'> & Partial<AcmeBackend>;

export interface DirectOptions {
  readonly state?: BackendState;
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly solverFor?: SolverFor;
  readonly clusterWide?: boolean;
}

/** The backend in this process, without a cluster. */
export function acmeDirect(spec: DirectSpec, options: DirectOptions = {}) {
  const logged: string[] = [];
  const note = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const state = options.state ?? new StateInMemory();
  const deps = {
    name: 'test/ca',
    clusterWide: options.clusterWide ?? true,
    clock: systemClock,
    addresses: { loopback: true },
    log: { debug: note, info: note, warn: note, error: note },
    objects: { namespace: 'test' },
    state,
    secret: async (name: string) => {
      const found = options.secrets?.[name];
      return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value)]));
    },
    configMap: async () => undefined,
  } as unknown as BackendDeps;
  const full = { accountKeyRollover: 0, enableDurationFeature: false, ...spec };
  const session = new Session(full, deps);
  return {
    backend: acmeBackend(full, deps, options.solverFor),
    logged,
    state,
    /** What the server has issued for an order, also where the backend refuses it. */
    certificateOf: async (ticket: string, anchors: readonly CertificateView[] = []) => {
      const account = await new Account(full, session, deps).current();
      const [url = ''] = ticket.split('#');
      const { body } = await session.askJson(account, url, undefined, 'the order', signal);
      return downloadChain(session, account, (body as { certificate: string }).certificate, anchors, signal);
    },
  };
}

/** RFC 8555 section 8.4, by the management API of the server of DNS answers. */
export function dnsSolver({ tell }: Pick<ChallengeServer, 'tell'>): Solver {
  const host = (domain: string) => `_acme-challenge.${domain}.`;
  return {
    type: 'dns-01',
    present: ({ domain, keyAuthorization }) => {
      const value = createHash('sha256').update(keyAuthorization).digest('base64url');
      return tell('set-txt', { host: host(domain), value });
    },
    cleanUp: ({ domain }) => tell('clear-txt', { host: host(domain) }),
  };
}

/** RFC 8555 section 8.3. */
export function httpSolver({ tell }: Pick<ChallengeServer, 'tell'>): Solver {
  return {
    type: 'http-01',
    present: ({ token, keyAuthorization }) => tell('add-http01', { token, content: keyAuthorization }),
    cleanUp: ({ token }) => tell('del-http01', { token }),
  };
}

export interface Wished {
  readonly names?: Partial<Names>;
  readonly commonName?: string;
  readonly usages?: readonly string[];
  readonly namespace?: string;
  readonly replaced?: CertificateView;
}

/** A request for a name of its own, or for these. */
export async function acmeRequest(wished: Wished = {}): Promise<IssueRequest> {
  const { commonName, namespace = 'shop', usages = ['digital signature', 'client auth'], replaced } = wished;
  const names = { ...NO_NAMES, ...(wished.names ?? { dnsNames: [`${randomUUID()}.example.com`] }) };
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const identity = { subject: commonName === undefined ? {} : { commonName }, names, usages };
  return {
    id: randomUUID(),
    requester: { namespace, name: 'alice', uid: randomUUID() },
    publicKey: publicKeyDer(key),
    csr: () => makeCsr({ key, ...identity }),
    identity,
    lifetimeMs: 3_600_000,
    replaced: async () => replaced,
  };
}

/** Asks until there is a certificate, as the controller does: with the ticket of the answer before. */
export async function issueAll(backend: Backend, request: IssueRequest): Promise<Issued> {
  let asked = request;
  for (let times = 0; times < 40; times++) {
    const answer = await backend.issue(asked, signal);
    if (!isPending(answer)) {
      await backend.forget?.(asked, signal);
      return answer;
    }
    asked = { ...request, ticket: answer.ticket };
    await systemClock.sleep(Math.min(answer.pollAfterMs, 1_000));
  }
  throw new Error('it is pending for ever');
}
