import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** Longer lists are not repeated in a message. */
const LONGEST_SHOWN = 160;

/** A place in the repository that must name something, such as each kind of authority. */
export interface Place {
  /** The file and, if known, the line. */
  readonly at: string;
  /** What to write there. */
  readonly add: string;
  readonly isThere: boolean;
}

/** The content of a file below the root of the repository; empty if there is none. */
export function read(path: string): string {
  return existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : '';
}

export function matching(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT }).sort();
}

/** A file that must contain `text`. */
export function file(at: string, text: string, add: string): Place {
  return { at, add, isThere: read(at).includes(text) };
}

/** The file must have a line `text`, in the same list as the line `neighbour`. */
export function line(path: string, neighbour: string, text: string, add: string): Place {
  const lines = read(path).split('\n');
  const index = lines.indexOf(neighbour);
  if (index < 0) return lost(path, neighbour);
  return { at: `${path}:${index + 1}`, add: `beside this line, add: ${add}`, isThere: lines.includes(text) };
}

/** What the group of `pattern` captures must contain `word`, as a word of its own. */
export function list(path: string, pattern: RegExp, word: string, add = word): Place {
  const text = read(path);
  const found = pattern.exec(text);
  if (found === null) return lost(path, pattern);
  const [whole, captured = ''] = found;
  const at = `${path}:${lineAt(text, found.index + whole.indexOf(captured))}`;
  const shown = captured.replaceAll(/\s+/g, ' ').trim();
  const where = shown.length > LONGEST_SHOWN ? '' : ` to: ${shown}`;
  return { at, add: `add ${add}${where}`, isThere: hasWord(captured, word) };
}

/** The Markdown table below `header` must have a row whose first cell contains `cell`. */
export function row(path: string, header: string, cell: string, add: string): Place {
  const lines = read(path).split('\n');
  const index = lines.indexOf(header);
  if (index < 0) return lost(path, header);
  const end = lines.findIndex((each, at) => at > index && !each.startsWith('|'));
  const isThere = lines.slice(index + 2, end).some((each) => each.split(' | ')[0]?.includes(cell));
  return { at: `${path}:${end}`, add: `below this line, add: ${add}`, isThere };
}

/** The file has changed, so the place must be described anew. */
function lost(path: string, pattern: string | RegExp): Place {
  const add = `nothing in it matches ${pattern}; correct test/docs/authority-places.ts`;
  return { at: path, add, isThere: false };
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!/[\w-]/.test(text.charAt(at - 1)) && !/[\w-]/.test(text.charAt(at + word.length))) return true;
  return false;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
