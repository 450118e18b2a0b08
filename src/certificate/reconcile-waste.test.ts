import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, DAY, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';

async function retry(world: CertificateWorld, runs: number): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const outcome = await world.run();
    const at = !(outcome instanceof Error) && outcome.do === 'retry' ? outcome.at : undefined;
    await world.clock.advance(at === undefined ? 1_000 : at.getTime() - world.clock.now().getTime());
  }
}

for (const key of ['tls.key', 'tls.crt'])
  for (const what of ['a first issue', 'a renewal'])
    test(`${what}: an admission webhook that empties ${key} costs one signature, not one for each retry`, async () => {
      const world = new CertificateWorld();
      if (what === 'a renewal') {
        await world.settle();
        await world.clock.advance(DAY / 2);
      }
      const before = world.ca.signed;
      world.store.mutate = ({ data, ...rest }) => ({ ...rest, data: { ...data, [key]: '' } });
      await retry(world, 8);
      assert.is(world.ca.signed - before, 1);
    });

test('a missing RBAC role costs one signature, not one for each retry', async () => {
  const world = new CertificateWorld();
  const no = Array.from({ length: 20 }, () => refusal(403));
  world.journal.refuse('Secret', ...no);
  world.journal.refuse('rehearsal', ...no);
  await retry(world, 8);
  assert.is(world.ca.signed, 1);
});

test('a replica that lost the lease removes no request at the authority', async () => {
  const world = new CertificateWorld(undefined, { persistKey: true, remote: true });
  world.ca.answer = () => ({ ticket: 'T', pollAfterMs: MINUTE, message: 'waiting for approval' });
  await world.run();
  world.edit({ metadata: { generation: 2 }, spec: aCertificate({ commonName: 'other' }).raw.spec });
  const { length } = world.journal.lines;
  world.loseLeadAfter(0);
  await world.run();
  assert.equal(world.journal.since(length), ['leading refused']);
});

test('a replica whose cache has the new status and the old Secret does not overwrite the new Secret', async () => {
  const world = new CertificateWorld();
  await world.settle();
  await world.clock.advance(DAY / 2);
  const secret = world.store.view();
  await world.run();
  const newer = structuredClone(world.store.object);
  world.cached = { secret };
  await world.run();
  assert.equal(world.store.object, newer);
});

test.run();
