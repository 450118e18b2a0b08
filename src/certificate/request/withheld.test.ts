/** A certificate of a CA that isn't shown to be trusted, signed by a machine that decides by itself which CA signs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, MINUTE } from '../../../test/unit/builders.ts';
import { refusal } from '../../../test/unit/certificate-world.ts';
import { ca } from '../../../test/unit/journaled-authority.ts';
import { begin, former, next, other, third } from '../../../test/unit/withheld-scene.ts';
import { bundleOf } from '../../pki/bundle.ts';

for (const persistKey of [false, true]) {
  const kind = persistKey ? 'of a machine that answers later' : 'of a machine that answers at once';

  test(`${kind}: it is withheld, outlives a crash, and is published as soon as the CA is trusted`, async () => {
    const { world, before, due, trust, asked, serial, issuer } = await begin({ persistKey });
    await due();
    assert.is(serial(), before?.certificate?.serialNumber);
    assert.is(world.condition('Issuing'), 'True CertificateWithheld');
    assert.is(world.condition('Ready'), 'True Issued');
    assert.ok(world.keys.object?.data?.['tls.crt']);
    assert.is(asked(), 1);
    world.restart();
    await world.settle();
    assert.is(asked(), 1);
    trust();
    await world.settle();
    assert.is(issuer(), next);
    assert.is(asked(), 1, 'what was withheld is published');
    assert.is(world.keys.object, undefined);
    assert.is(world.condition('Issuing'), undefined);
    world.told.assertNoKey();
  });

  test(`${kind}: it is withheld too where the Secret holds one of the fallback, which all trust`, async () => {
    const { world, due, serial, before, trusted } = await begin({ persistKey });
    const own = bundleOf([third.certificate, other.certificate]);
    const trust = bundleOf([third.certificate, other.certificate, ca.certificate]);
    trusted([third.certificate.fingerprintSHA256], { trust, ownTrust: own });
    await due();
    assert.is(serial(), before?.certificate?.serialNumber);
    assert.is(world.condition('Issuing'), 'True CertificateWithheld');
    trusted([next], { trust, ownTrust: own });
    await world.settle();
    assert.is.not(serial(), before?.certificate?.serialNumber);
  });

  test(`${kind}: the Secret learns of the new CA meanwhile`, async () => {
    const { world, due, serial, before } = await begin({ persistKey });
    await due();
    const { trustBundleHash } = world.store.view() ?? {};
    assert.is(trustBundleHash, bundleOf([ca.certificate, other.certificate]).hash);
    assert.is(serial(), before?.certificate?.serialNumber);
  });

  test(`${kind}: an annotation that another writer has changed publishes nothing, and is written anew`, async () => {
    const { world, before, due, asked, serial } = await begin({ persistKey });
    await due();
    const { annotations = {} } = world.keys.object?.metadata ?? {};
    Object.assign(annotations, { 'certwheel.io/withheld-below': former });
    world.restart();
    await world.settle();
    assert.is(serial(), before?.certificate?.serialNumber);
    assert.is(world.condition('Issuing'), 'True CertificateWithheld');
    assert.is(world.keys.view()?.withheld?.anchor, next);
    assert.is(asked(), 1);
  });

  test(`${kind}: it is published shortly before the former one ends, also while the machine is away`, async () => {
    const { world, due, away, issuer, asked } = await begin({ persistKey });
    await due();
    away();
    await world.clock.advance(23 * HOUR - 6 * MINUTE);
    await world.run();
    assert.is(issuer(), former);
    await world.clock.advance(MINUTE);
    await world.settle();
    assert.is(issuer(), next);
    assert.is(asked(), 1);
  });

  test(`${kind}: it is published at once where the key of the former one is reported as compromised`, async () => {
    const { world, due, revoke, issuer, asked } = await begin({ persistKey });
    await due();
    revoke();
    await world.settle();
    assert.is(issuer(), next);
    assert.is(asked(), 1);
  });

  test(`${kind}: without a former one it is published at once`, async () => {
    const { world, issuer } = await begin({ persistKey });
    world.store.object = undefined;
    await world.settle();
    assert.is(issuer(), next);
    assert.is(world.keys.object, undefined);
  });

  for (const [what, content] of Object.entries({
    'is nonsense': 'nonsense',
    'is another certificate': ca.certificate.pem,
    'is gone': '',
  }))
    test(`${kind}: where what is kept ${what}, another one is asked for`, async () => {
      const { world, due, trust, asked, issuer } = await begin({ persistKey });
      await due();
      const kept = world.keys.object;
      Object.assign(kept?.data ?? {}, { 'tls.crt': Buffer.from(content).toString('base64') });
      world.restart();
      trust();
      await world.settle();
      assert.is(issuer(), next);
      assert.is(asked(), 2);
      assert.is(world.keys.object, undefined);
    });
}

for (const status of [403, 422, 500])
  test(`a Secret NAME-next that can't be stored (${status}) costs no certificate for each try, and what was signed is published in time`, async () => {
    const { world, due, during, asked, issuer } = await begin();
    world.journal.refuse('next', ...Array.from({ length: 2_000 }, () => refusal(status)));
    await due().catch(() => {});
    await during(8 * HOUR);
    assert.is(asked(), 1);
    assert.is(issuer(), former);
    assert.is(world.condition('Ready'), 'True Issued');
    // Others meet an API server in trouble as well, so it is no failure of one.
    assert.is(world.status.lastFailure === undefined, status === 500);
    await during(15 * HOUR);
    assert.is(issuer(), next);
    // One that is due itself is not published.
    assert.ok(asked() <= 3, `${asked()} were asked for`);
    world.told.assertNoKey();
  });

test('what could not be stored is not published before its CA is trusted, and then at once', async () => {
  const { world, due, during, trust, asked, issuer } = await begin();
  world.journal.refuse('next', refusal(403), refusal(403));
  await due();
  await during(2 * MINUTE);
  assert.is(issuer(), former);
  trust();
  await during(HOUR);
  assert.is(issuer(), next);
  assert.is(asked(), 1);
});

for (const persistKey of [false, true]) {
  const kind = persistKey ? 'that answers later' : 'that answers at once';

  test(`a machine ${kind}, and that signs a re-issue with the CA that it states no more, is asked by the backoff of a failure`, async () => {
    const { world, before, leave, during, asked, serial } = await begin({ persistKey });
    leave();
    await during(10 * MINUTE);
    assert.is(serial(), before?.certificate?.serialNumber, 'the Secret is left alone');
    assert.ok(asked() > 0 && asked() <= 10, `asked ${asked()} times`);
    const { reason, message } = world.status.lastFailure ?? {};
    assert.is(reason, 'InvalidAnswer');
    assert.match(message ?? '', /which it states no more: have it sign with/);
    assert.is(world.condition('Ready'), 'True Issued');
  });

  test(`a machine ${kind}, and that signs with the CA that it states no more, still renews what is due`, async () => {
    const { before, leave, during, serial, asked } = await begin({ persistKey });
    leave({ released: new Set() });
    await during(14 * HOUR);
    assert.not.equal(serial(), before?.certificate?.serialNumber);
    assert.is(asked(), 1);
  });
}

test('a process that dies between any two effects loses no certificate, and asks at most once more', async () => {
  for (let effects = 1; effects < 12; effects++) {
    const { world, due, trust, asked, issuer } = await begin();
    world.journal.diesAfter = world.journal.lines.length + effects;
    await due();
    world.restart();
    await world.settle();
    assert.is(issuer(), former, `after ${effects}`);
    trust();
    await world.settle();
    assert.is(issuer(), next, `after ${effects}`);
    // One that is due itself is not published.
    assert.ok(asked() <= 3, `after ${effects}: asked ${asked()} times`);
    assert.is(world.keys.object, undefined);
    world.told.assertNoKey();
  }
});

test.run();
