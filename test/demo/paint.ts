import { stripVTControlCharacters } from 'node:util';

/** What the terminal can do. */
export interface Look {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
  readonly unicode: boolean;
}

export function lookOf({ columns, rows }: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Look {
  return {
    columns: columns || 80,
    rows: rows || 24,
    colours: !env.NO_COLOR,
    unicode: /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || ''),
  };
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export type Colour = keyof typeof CODES;

export function paint({ colours }: Look, colour: Colour | undefined, text: string): string {
  return colours && colour !== undefined && text !== '' ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

export function widthOf(line: string): number {
  return stripVTControlCharacters(line).length;
}
