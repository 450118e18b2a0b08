import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyTables } from '../bench/handshakes/tables.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/guides/cost.md'), 'utf8');

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** The tables that `make bench-handshakes` has printed, as lines of cells. */
const shown = [...PAGE.matchAll(/^<!-- make bench-handshakes -->\n((?:\|.*\|\n)+)/gm)].map(([, table = '']) => {
  const [columns, , ...rows] = table.trimEnd().split('\n').map(cellsOf);
  return { columns, rows };
});

test('the tables of docs/guides/cost.md have the columns and rows that make bench-handshakes prints', () => {
  const names = (rows: readonly (readonly string[])[]) => rows.map(([name]) => name);
  assert.equal(
    shown.map(({ columns, rows }) => ({ columns, rows: names(rows) })),
    emptyTables().map(({ columns, rows }) => ({ columns, rows: names(rows) })),
  );
});

test('each of them is filled with figures, and its first row is what the others are compared with', () => {
  for (const { columns = [], rows } of shown) {
    for (const row of rows) {
      assert.is(row.length, columns.length, row.join());
      for (const figure of row.slice(1)) assert.match(figure, /^\d+(\.\d\d)?$/, row.join());
    }
    assert.equal(rows[0]?.slice(1, 3), ['1.00', '1.00']);
  }
});

test.run();
