/**
 * Strict flaws are what OpenSSL refuses with X509_V_FLAG_X509_STRICT. CHAINS_SEED says where to begin, CHAINS_COUNT after
 * how many chains to stop (500).
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { strictFlaws } from '../../../src/pki/x509-strict.ts';
import { numberFrom, repeatCommand, seedOfRun } from '../repeat.ts';
import { chainOf, type Shape } from '../shaped.ts';
import { ask, judges } from './ask.ts';

const seed = seedOfRun();
const runs = numberFrom('CHAINS_COUNT') ?? 500;
console.log(`# ${repeatCommand('test/pki/agreement/strict.test.ts', seed)}`);

test.after(judges.stop);

test('a path has flaws exactly where strict OpenSSL refuses what it accepts otherwise', async () => {
  const mostly = <T>(usual: T, ...others: T[]) => fc.constantFrom(usual, usual, usual, usual, ...others);
  const shape = fc.record({
    keyUsage: mostly(true, false),
    critical: mostly(true, false),
    pathLength: mostly(false, true),
    subjectKeyId: mostly(true, false),
    authorityKeyId: mostly<Shape['authorityKeyId']>('key', 'issuer', 'empty', 'none'),
    names: mostly<Shape['names']>('none', 'empty', 'dns'),
    criticalNames: fc.boolean(),
    subject: mostly(true, true, true, true, false),
  });
  const sound = fc.constant({});
  const shapes = fc.record({ leaf: fc.oneof(sound, shape), int: fc.oneof(sound, shape), root: fc.oneof(sound, shape) });
  let [strict, lax] = [0, 0];
  await fc.assert(
    fc.asyncProperty(shapes, async (each) => {
      const chain = chainOf(each);
      const verdicts = await ask(chain);
      if (verdicts.openssl !== null) return;
      const refused = verdicts.opensslStrict;
      const flaws = strictFlaws(chain);
      assert.is(flaws.length > 0, refused !== null, refused ?? JSON.stringify(flaws));
      if (refused === null) lax += 1;
      else strict += 1;
    }),
    { seed, numRuns: runs },
  );
  if (runs >= 100) assert.ok(strict > 5 && lax > 5, `${strict} refused, ${lax} accepted`);
});

test.run();
