import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Observed } from '../../src/certificate/observed.ts';
import { NOW } from './builders.ts';

interface Case {
  readonly check: (seen: Observed, now: Date) => unknown;
  readonly seen: Observed;
  /** Words of the finding, or undefined where the check finds nothing. */
  readonly says: string | undefined;
  readonly now?: Date;
}

/** One test for each title: the finding of a check for one observed state. */
export function table(cases: Record<string, Case>): void {
  for (const [sentence, { check, seen, says, now = NOW }] of Object.entries(cases)) {
    test(sentence, () => {
      const finding = JSON.stringify(check(seen, now));
      if (says === undefined) assert.is(finding, undefined);
      else assert.ok(finding?.includes(says), finding ?? 'nothing');
    });
  }
}
