import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheRoot } from '../../programs/modules.ts';
import type { Kind } from './kind.ts';

/** The values of a Secret, and the folder in which its recipe left them. */
export interface Material {
  readonly folder: string;
  readonly tlsCrt: Buffer;
  readonly tlsKey: Buffer;
  readonly caCrt?: Buffer;
}

interface Place {
  /** Empty, and the recipe's alone. */
  readonly folder: string;
  /** Folders of programs, in front of the PATH. */
  readonly path: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** A free port of this machine, for the tools that are servers. */
  readonly port: number;
}

const RECIPES = join(import.meta.dirname, 'recipes.sh');
const TIMEOUT_MS = 120_000;

/** Runs the recipe of a kind. Throws an Error with the output of the tool that failed. */
export function makeMaterial({ kind, recipe }: Kind, { folder, path, environment, port }: Place): Material {
  const keys = join(cacheRoot(), 'ca-kinds-keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', `. '${RECIPES}'\n${recipe}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: {
      ...process.env,
      ...environment,
      // Some tools keep state at home.
      HOME: folder,
      KEYS: keys,
      PATH: [...path, dirname(process.execPath), process.env.PATH].join(':'),
      PORT: String(port),
      RESIGN: join(import.meta.dirname, 'resign.ts'),
    },
  });
  if (status !== 0) throw new Error(`the recipe of "${kind}" failed (${signal ?? status}):\n${stdout}${stderr}`);
  const read = (name: string) => readFileSync(join(folder, name));
  return {
    folder,
    tlsCrt: read('tls.crt'),
    tlsKey: read('tls.key'),
    ...(existsSync(join(folder, 'ca.crt')) && { caCrt: read('ca.crt') }),
  };
}
