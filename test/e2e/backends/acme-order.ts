import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Solver, SolverChallenge } from '../../../src/backends/acme/solver.ts';
import { ensureProgram } from '../../programs/programs.ts';
import type { StepCa } from './servers/step-ca.ts';

/** An ACME server, and the folder for the files of its clients. */
export interface AcmeServer {
  readonly directory: string;
  /** PEM of the CA of its TLS certificate. */
  readonly ca: string;
  readonly folder: string;
}

export function acmeOf(ca: StepCa): AcmeServer {
  return { directory: `${ca.url}/acme/acme/directory`, ca: ca.root, folder: ca.folder };
}

/** An ACME account with a key of its own, in a file. */
export function makeAccount({ folder }: AcmeServer, name: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const path = join(folder, `${name}.account.key`);
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return path;
}

export interface Ordered {
  readonly certificate?: string;
  readonly error?: string;
  readonly challenges: readonly SolverChallenge[];
}

/** An order of these names with Go's ACME client, whose challenges `present` answers. */
export async function order(
  server: AcmeServer,
  account: string,
  type: Solver['type'],
  names: readonly string[],
  present: (challenge: SolverChallenge) => Promise<void>,
): Promise<Ordered> {
  const program = await ensureProgram('acme-client');
  const caFile = join(server.folder, 'acme-server-ca.pem');
  writeFileSync(caFile, server.ca);
  const args = [server.directory, caFile, type, account, ...names];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const challenges: SolverChallenge[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as SolverChallenge & Omit<Ordered, 'challenges'>;
      if (said.token === undefined) return { ...said, challenges };
      challenges.push(said);
      await present(said);
      child.stdin.write('\n');
    }
    return { error: 'it ended without a result', challenges };
  } finally {
    child.kill();
  }
}
