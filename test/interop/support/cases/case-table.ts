import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../../e2e/support/eventually.ts';
import { type Call, refusalText, request } from '../request.ts';

const FILE = join(import.meta.dirname, '../../results/cases/failure-cases.json');

/** A table of docs/guides/failures.md: what programs do in one situation. */
export interface CaseTable {
  readonly title: string;
  readonly text: string;
  readonly columns: readonly string[];
  /** The first text names the row. */
  readonly rows: readonly (readonly string[])[];
}

export function readCases(): readonly CaseTable[] {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

export function writeCases(tables: readonly CaseTable[]): void {
  writeFileSync(FILE, `${JSON.stringify(tables, undefined, 2)}\n`);
}

export const SERVED = 'is served';

/** What the client of a request sees. */
export async function seenBy(call: Call): Promise<string> {
  const outcome = await request({ ...call, settleMs: 300 }).catch((error: Error) => error);
  if (!(outcome instanceof Error) && outcome.status === 200) return SERVED;
  return `\`${refusalText(outcome)}\``;
}

/** The part of a log after `before` characters that says why. */
export async function logged(log: () => string, before: number, pattern: RegExp): Promise<string> {
  const find = () => pattern.exec(log().slice(before))?.[0];
  return eventually(`the log says why: ${pattern}`, find, 10_000).catch((error: Error) => {
    throw new Error(`${error.message}\n${log().slice(before)}`, { cause: error });
  });
}
