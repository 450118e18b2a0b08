import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { textOf } from './thrown.ts';

/** Of the bundle, whose files are all in it. */
const FOLDER = new URL('.', import.meta.url).href;
const FRAME = /(file:\/\/\S+?):(\d+):(\d+)/g;

/** A bug repeats itself, and one reading of the map takes 0.1 s. */
const known = new Map<string, string>();
const MOST_KNOWN = 1000;

/**
 * The stack of what was thrown, with the places in the sources instead of those in the bundle. Node can do that too
 * (--enable-source-maps), but takes 22 MB for it from its start on; this reads the map when there is something to tell.
 */
export function stackOf(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : textOf(thrown);
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(FRAME, (place: string, file: string, line: string, column: string) => {
    if (!file.startsWith(FOLDER) || !file.endsWith('.mjs')) return place;
    let source = known.get(place);
    if (source === undefined) {
      if (!maps.has(file)) maps.set(file, readMap(`${fileURLToPath(file)}.map`));
      const map = maps.get(file);
      if (map === undefined) return place;
      source = sourceOf(map, Number(line), Number(column)) ?? place;
      if (known.size < MOST_KNOWN) known.set(place, source);
    }
    return source;
  });
}

/** None when it runs from its sources, which need none. It is about a bug already, so no failure here may hide it. */
function readMap(path: string): SourceMap | undefined {
  try {
    return existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  } catch {
    return undefined;
  }
}

function sourceOf(map: SourceMap, line: number, column: number): string | undefined {
  const origin = map.findOrigin(line, column);
  if (!('fileName' in origin)) return undefined;
  // They are relative to the folder that the bundle was made in.
  return `${origin.fileName.replace(/^(\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`;
}
