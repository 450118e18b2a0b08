import { randomInt } from 'node:crypto';

/** A number out of an environment variable; undefined where that is absent or empty. Throws an Error for other text. */
export function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (!text) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`${variable} is ${JSON.stringify(text)}, which is no number`);
  return Number(text);
}

/** CHAINS_SEED, or a new seed. */
export function seedOfRun(): number {
  return numberFrom('CHAINS_SEED') ?? randomInt(2 ** 31);
}

/** The command that runs a test file (path from the root of the repository) with the same random cases again. */
export function repeatCommand(file: string, seed: number): string {
  return `CHAINS_SEED=${seed} node test/run.ts ${file}`;
}
