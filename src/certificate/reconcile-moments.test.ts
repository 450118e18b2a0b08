/** The moments at which a certificate is reconciled again, beside those of its present decision. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairOf, root } from '../../test/pki/make.ts';
import { aCertificate, after, DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { bundleOf } from '../pki/bundle.ts';
import type { Outcome } from '../queue/controller.ts';

function momentOf(outcome: Outcome | Error): Date | undefined {
  if (outcome instanceof Error) throw outcome;
  if (outcome.do === 'again') throw new Error('the run is repeated at once');
  return outcome.do === 'retry' ? outcome.at : outcome.recheckAt;
}

test('a renewal that is asked for at a moment is made then, also within the pause after a failure', async () => {
  const { raw } = aCertificate()
    .failed({ nextAt: after(HOUR) })
    .renewAt(after(10 * MINUTE));
  const world = new CertificateWorld(raw);
  assert.equal(momentOf(await world.run()), after(10 * MINUTE));
  await world.clock.advance(10 * MINUTE);
  await world.settle();
  assert.is(world.ca.signed, 1);
});

test('the same after another failure', async () => {
  const at = after(1_000);
  const world = new CertificateWorld(aCertificate().renewAt(at).raw);
  world.journal.refuse('Secret', refusal(403));
  const moment = momentOf(await world.run());
  assert.ok(moment !== undefined && moment <= at, `${moment?.toISOString()}`);
});

test('what the authority suggests is asked for after a repair too', async () => {
  const world = new CertificateWorld();
  await world.settle();
  const askAt = after(2 * HOUR, world.clock.now());
  world.deps = { ...world.deps, suggestions: { look: async () => askAt } };
  const other = pairOf(await root({ notBefore: after(-DAY), notAfter: after(400 * DAY) }));
  const anchors = [...world.ca.view.trust.anchors.values(), other.anchor];
  world.authority = { ...world.ca.view, trust: bundleOf(anchors) };
  const { length } = world.journal.lines;
  assert.equal(momentOf(await world.run()), askAt);
  assert.ok(world.journal.since(length).includes('Secret'), 'it was repaired');
});

test.run();
