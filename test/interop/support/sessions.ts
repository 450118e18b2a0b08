/** What becomes of a TLS session that a client resumes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../e2e/support/eventually.ts';
import { authority, type Credentials, SERVER } from './authority.ts';
import type { TlsVersion } from './cells.ts';
import { secretFiles } from './mount.ts';
import type { ServerProgram, ServerReader } from './reader.ts';
import { type Call, request } from './request.ts';
import { startStage } from './stage.ts';

export interface Visit {
  readonly isServed: boolean;
  readonly isResumed: boolean;
  /** That it was given for its next visit; undefined if none. */
  readonly session?: Buffer | undefined;
}

/** One request over a new connection. */
export async function visit(call: Call): Promise<Visit> {
  try {
    const { status, isResumed, session } = await request({ ...call, settleMs: 100 });
    return { isServed: status === 200, isResumed, session };
  } catch {
    return { isServed: false, isResumed: false };
  }
}

export interface Visitor {
  readonly call: Call;
  /** The answer to the first request. */
  readonly first: Visit;
  /** Replaces the CA of clients by another one, and waits until a full handshake fails. */
  removeCa(): Promise<void>;
  /** Gives the server another certificate, and waits until sessions of before are not resumed. */
  untilRotationEndsSession(): Promise<void>;
  /** Waits until a full handshake fails. */
  untilRefused(): Promise<void>;
  stop(): Promise<void>;
}

/** A server, and a client whose certificate lives for so long; the client has been there once. */
export async function visitor(
  { outputs }: Pick<ServerReader, 'outputs'>,
  program: ServerProgram,
  { tls, lifeMs }: { readonly tls: TlsVersion; readonly lifeMs?: number },
): Promise<Visitor> {
  const ca = await authority(2);
  const own = await ca.issue(SERVER);
  const files = async (content: Credentials) => ({ ...secretFiles(content), ...(await outputs?.(content)) });
  const { server, mount } = await startStage(program, own, await files(own));
  const client = await ca.issue(lifeMs === undefined ? {} : { lifeMs });
  const call: Call = { port: server.port, ca: own.ca, client, tls };
  const first = await visit(call);
  if (!first.isServed) throw new Error(`the first visit failed: ${server.log()}`);
  const untilRefused = async () => {
    await eventually('a full handshake fails', async () => !(await visit(call)).isServed);
  };
  return {
    call,
    first,
    untilRefused,
    removeCa: async () => {
      mount.swap(await files({ ...own, ca: (await authority(2, 'Another CA')).ca }));
      await server.reload();
      await untilRefused();
    },
    untilRotationEndsSession: async () => {
      mount.swap(await files(await ca.issue(SERVER)));
      await server.reload();
      // For a moment after a reload former processes of nginx accept connections.
      await eventually('the session is not resumed', async () => {
        const { isServed, isResumed } = await visit({ ...call, session: first.session });
        return isServed && !isResumed;
      });
    },
    stop: () => server.stop(),
  };
}

/** Comes back each second, always with the newest session that it was given. */
export async function comeBack({ call, first }: Visitor, times: number): Promise<readonly Visit[]> {
  const visits: Visit[] = [];
  let { session } = first;
  for (let count = 0; count < times; count++) {
    await sleep(1_000);
    const next = await visit({ ...call, session });
    visits.push(next);
    session = next.session ?? session;
  }
  return visits;
}
