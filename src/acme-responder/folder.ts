import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAccount, type ResponderAccount } from '../backends/acme/solvers/responder-accounts.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';

const READ_AGAIN_MS = 2_000;

/** The accounts of a mounted ConfigMap, as of the last time that it was read. */
export interface AccountFolder {
  readonly accounts: readonly ResponderAccount[];
}

/**
 * Reads the folder until `signal` aborts. The kubelet replaces what is in it as a whole; a folder that is missing has no
 * accounts, since the ConfigMap is made with the first challenge.
 */
export function followAccounts(
  folder: string,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): AccountFolder {
  const state = { accounts: [] as readonly ResponderAccount[] };
  let said = '';
  const read = async () => {
    const found = await accountsIn(folder);
    const names = Object.entries(found).map(([name, account]) => (account ? name : `${name} (unreadable)`));
    // Before the first one there may be none for days.
    if (names.join() !== said) log.info('accounts of ACME servers', { accounts: names });
    said = names.join();
    state.accounts = Object.values(found).filter((account) => account !== undefined);
  };
  const follow = async () => {
    while (!signal.aborted) {
      await read().catch((error: unknown) => log.warn("accounts can't be read", { folder, error: messageOf(error) }));
      await clock.sleep(READ_AGAIN_MS, signal).catch(() => {});
    }
  };
  void follow();
  return state;
}

/** By the name of the authority. */
async function accountsIn(folder: string): Promise<Record<string, ResponderAccount | undefined>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  // Those that begin with two dots are the kubelet's.
  const files = names.filter((name) => !name.startsWith('.')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return Object.fromEntries(files.map((name, index) => [name, parseAccount(texts[index] ?? '')]));
}
