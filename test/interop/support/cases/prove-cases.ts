/** The situations of docs/guides/failures.md that take more than a client and a server of Go. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../../teardown.ts';
import { writeFailuresPage } from '../failures-page.ts';
import { type CaseTable, readCases, writeCases } from './case-table.ts';
import { revokedCases, revokedClientCases } from './revoked.ts';
import { staleListCases } from './stale-list.ts';
import { wrongClockCases } from './wrong-clock.ts';

const COLLECTED: Readonly<Record<string, () => Promise<CaseTable>>> = {
  'servers with a revocation list': revokedCases,
  'clients whose certificate is revoked': revokedClientCases,
  'a list of CA names that is stale': staleListCases,
  'a wrong clock': wrongClockCases,
};

export function proveCases({ long = false } = {}): void {
  test.after(stopAll);
  const tables: CaseTable[] = [];
  for (const [name, collect] of Object.entries(COLLECTED))
    test(`${name}: what was seen is ${long ? 'written to' : 'what'} docs/guides/failures.md${long ? '' : ' says'}`, async () => {
      const seen = await collect();
      tables.push(seen);
      if (long) return;
      const known = readCases().find(({ title }) => title === seen.title);
      // A program that isn't here has no row.
      for (const row of seen.rows)
        assert.equal(
          row,
          known?.rows.find(([first]) => first === row[0]),
        );
      assert.equal({ ...seen, rows: [] }, { ...known, rows: [] });
    });
  if (long)
    test('the tables are written', () => {
      assert.is(tables.length, Object.keys(COLLECTED).length);
      writeCases(tables);
      writeFailuresPage();
    });
}
