import * as assert from 'uvu/assert';
import type { LogLine } from '../../support/controller-process.ts';
import { issuedAt } from '../../support/moments.ts';
import { faultsOfHistory, issuances, leafOf, serialOf } from '../../support/secret-witness.ts';
import type { Witness } from '../../support/witness.ts';
import { lines } from './fleet.ts';

/** A certificate of one minute is due after a half of it less a fifth of that, and begins with a whole second. */
const EARLIEST_RENEWAL_MS = 24_000 - 1_000;

/** What is wrong with the Secrets of these certificates at any version since the witness began. */
export function faultsOf(secrets: Witness, names: readonly string[]): string[] {
  return names.flatMap((name) => faultsOfHistory(secrets.versions(`${name}-tls`)).map((fault) => `${name}: ${fault}`));
}

/** The serials that the Secrets of these certificates have held, in order. */
export function publishedSerials(secrets: Witness, names: readonly string[]): string[] {
  return names.flatMap((name) =>
    issuances(secrets.versions(`${name}-tls`)).map(({ object }) => String(serialOf(object))),
  );
}

/** Each certificate after the first must have another subject or another CA than the one before, unless the one before was due. */
export function unjustified(secrets: Witness, names: readonly string[], earliestMs = EARLIEST_RENEWAL_MS): string[] {
  return names.flatMap((name) => {
    const issued = issuances(secrets.versions(`${name}-tls`));
    return issued.flatMap(({ object }, index) => {
      const before = issued[index - 1];
      if (before === undefined) return [];
      const [former, leaf] = [leafOf(before.object), leafOf(object)];
      if (former.subject !== leaf.subject || former.issuer !== leaf.issuer) return [];
      const ageMs = issuedAt(object).getTime() - issuedAt(before.object).getTime();
      return ageMs >= earliestMs ? [] : [`${name} was issued again after ${ageMs} ms with nothing changed`];
    });
  });
}

/** What was signed and never published: at most one for each certificate in each life of a controller. */
export function signedAndLost(lives: readonly (readonly LogLine[])[], published: readonly string[]) {
  const known = new Set(published);
  assert.is(known.size, published.length, 'a serial was published twice');
  const lost = lives.flatMap((logs) => {
    const orphans = lines(logs, 'signing').filter(({ serial }) => !known.has(String(serial)));
    const names = orphans.map(({ name }) => name);
    assert.is(new Set(names).size, names.length, `signed twice in one life, and lost: ${names}`);
    return orphans;
  });
  return { signed: lives.flatMap((logs) => lines(logs, 'signing')).length, lost: lost.length };
}
