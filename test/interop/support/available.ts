import { test } from 'uvu';

/** Why a program can't be had on this machine: its tests are skipped with this reason. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** For a download that failed: `await unpackDebian('nginx').catch(unavailable)`. A program that is there and doesn't run fails. */
export function unavailable(error: Error): never {
  throw new Unavailable(error.message, { cause: error });
}

/** For a program that the machine has to have: `await run('curl', ['--version']).catch(notOnPath('curl'))`. */
export function notOnPath(program: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Unavailable(`there is no \`${program}\` on the PATH: apt-get install ${program}`, { cause: error });
  };
}

/** What go, pip and our own builders say where a tool is missing or a package can't be fetched. */
const NOT_FETCHED =
  /there is no `\S+` on the PATH|GOPROXY=off|dial tcp|no such host|i\/o timeout|connection refused|No matching distribution found|Failed to establish a new connection|Temporary failure in name resolution/;

/** For a build that failed: only what it needs may be missing. Sources that don't compile are a fault. */
export function unavailableBuild(error: Error): never {
  if (NOT_FETCHED.test(error.message)) unavailable(error);
  throw error;
}

/**
 * What `install` answers. Where it throws Unavailable, it is undefined, and the reason, which says what to do, is printed; one
 * skipped test stands for those that can't run.
 */
export async function available<T>(title: string, install: () => Promise<T>): Promise<T | undefined> {
  try {
    return await install();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped, since there is no ${title}: ${error.message}`);
    test.skip(title, () => {});
    return undefined;
  }
}
