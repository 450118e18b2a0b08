/** What is withheld and of no use any more, or was changed by another writer. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR } from '../../../test/unit/builders.ts';
import { ca } from '../../../test/unit/journaled-authority.ts';
import { begin, former, next } from '../../../test/unit/withheld-scene.ts';
import type { RawObject } from '../../api/parse.ts';
import { bundleOf } from '../../pki/bundle.ts';

for (const persistKey of [false, true]) {
  const kind = persistKey ? 'of a machine that answers later' : 'of a machine that answers at once';

  test(`${kind}: where the machine gives that CA up, another one is asked for at once, and one alone`, async () => {
    const { world, before, due, goBack, asked, serial, issuer } = await begin({ persistKey });
    await due();
    for (const isRestarted of [false, true]) {
      if (isRestarted) world.restart();
      goBack();
      await world.settle();
      assert.is.not(serial(), before?.certificate?.serialNumber);
      assert.is(issuer(), former);
      assert.is(asked(), 2);
      assert.is(world.keys.object, undefined);
      assert.is(world.condition('Issuing'), undefined);
    }
  });

  test(`${kind}: a CA that is followed is not given up, nor is one of which that isn't known`, async () => {
    const { world, before, due, trusted, asked, serial } = await begin({ persistKey });
    await due();
    const trust = bundleOf([ca.certificate]);
    for (const followedAnchors of [undefined, new Set([former, next])]) {
      trusted([former], { trust, followedAnchors });
      world.restart();
      await world.settle();
      assert.is(serial(), before?.certificate?.serialNumber);
      assert.is(world.condition('Issuing'), 'True CertificateWithheld');
      assert.is(asked(), 1);
    }
  });

  test(`${kind}: one over a key that is reported to be in other hands is not published, and another key is made`, async () => {
    for (const isRestarted of [false, true]) {
      const scene = await begin({ persistKey }, { privateKey: { rotationPolicy: 'Never' } });
      const { world, before, due, revoke, asked, issuer } = scene;
      await due();
      assert.ok(world.keys.object?.data?.['tls.key']);
      revoke();
      if (isRestarted) world.restart();
      await world.settle();
      assert.is(asked(), 2);
      assert.is(issuer(), next);
      assert.is.not(world.store.view()?.certificate?.publicKeyPinSHA256, before?.certificate?.publicKeyPinSHA256);
    }
  });

  test(`${kind}: one that expires while it is withheld makes room for another one`, async () => {
    const { world, due, during, grant, asked, issuer } = await begin({ persistKey });
    grant(3 * HOUR);
    await due();
    await during(2 * HOUR);
    assert.is(asked(), 1);
    await during(2 * HOUR);
    assert.is(asked(), 2);
    assert.is(world.condition('Issuing'), 'True CertificateWithheld');
    assert.is(world.condition('Ready'), 'True Issued');
    await during(18 * HOUR);
    assert.is(issuer(), former);
    assert.ok(asked() <= 8, `asked ${asked()} times`);
  });

  test(`${kind}: one whose Secret is deleted again and again is asked for ever more slowly, and the status says why`, async () => {
    const { world, due, asked, issuer } = await begin({ persistKey });
    await due();
    for (let round = 0; round < 100; round++) {
      world.keys.object = undefined;
      for (let run = 0; run < 3; run++) await world.run();
      await world.clock.advance(1_000);
    }
    assert.is(issuer(), former);
    assert.ok(asked() <= 12, `asked ${asked()} times`);
    assert.is(world.condition('Issuing'), 'True TooManyChanges');
    const { message } = world.status.conditions?.find(({ type }) => type === 'Issuing') ?? {};
    assert.match(message ?? '', 'something deletes the Secret NAME-next');
  });

  for (const [what, change] of Object.entries({
    'names a CA that all trust': { 'certwheel.io/withheld-below': former },
    'names no CA': { 'certwheel.io/withheld-below': 'nonsense' },
    'is gone': { 'certwheel.io/withheld-below': undefined },
    'has no moment': { 'certwheel.io/withheld-at': undefined },
  }))
    test(`${kind}: an annotation that ${what} by another writer is written anew once, and nothing is asked for`, async () => {
      const { world, before, due, asked, serial } = await begin({ persistKey });
      await due();
      const edited = structuredClone(world.keys.object as RawObject);
      for (const [annotation, value] of Object.entries(change)) {
        const annotations = edited.metadata?.annotations as Record<string, string>;
        if (value === undefined) delete annotations[annotation];
        else annotations[annotation] = value;
      }
      world.keys.edit(edited);
      for (let run = 0; run < 3; run++) await world.run();
      const outcome = await world.run();
      assert.ok(!(outcome instanceof Error) && outcome.do === 'rest', 'it rests');
      assert.is(asked(), 1);
      assert.is(serial(), before?.certificate?.serialNumber);
      assert.is(world.condition('Issuing'), 'True CertificateWithheld');
      assert.is(world.keys.view()?.withheld?.anchor, next);
    });
}

test.run();
