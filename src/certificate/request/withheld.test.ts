/** A certificate of a CA that isn't shown to be trusted, signed by a machine that decides by itself which CA signs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { aCertificate, after, DAY, HOUR, MINUTE, RUN } from '../../../test/unit/builders.ts';
import { CertificateWorld, KEY, refusal } from '../../../test/unit/certificate-world.ts';
import { ca } from '../../../test/unit/journaled-authority.ts';
import { anOwnAuthority, SILENT } from '../../../test/unit/own-authority.ts';
import type { RawObject } from '../../api/parse.ts';
import type { Capabilities, Issued } from '../../backends/backend.ts';
import { bundleOf } from '../../pki/bundle.ts';
import type { AuthorityView } from '../authority-view.ts';

const other = await root({ commonName: 'another CA', notBefore: after(-400 * DAY), notAfter: after(4000 * DAY) });
const third = await root({ commonName: 'a third CA', notBefore: after(-400 * DAY), notAfter: after(4000 * DAY) });
const [former, next] = [ca.certificate.fingerprintSHA256, other.certificate.fingerprintSHA256];

/** A Secret with a certificate of the one CA, and a machine that has begun to sign with another one. */
async function begin(capabilities: Partial<Capabilities> = {}, spec: object = {}) {
  const world = new CertificateWorld(aCertificate({ duration: '24h', ...spec }).raw, { remote: true, ...capabilities });
  const seen = (usable: readonly string[], change: Partial<AuthorityView> = {}): AuthorityView => ({
    ...world.ca.view,
    signing: undefined,
    issuers: [],
    generations: new Map(),
    usableAnchors: new Set(usable),
    followedAnchors: new Set([former, next]),
    ...change,
  });
  const both = bundleOf([ca.certificate, other.certificate]);
  world.authority = seen([former]);
  const signer = anOwnAuthority([ca], world.clock, undefined, SILENT);
  const successor = anOwnAuthority([other], world.clock, undefined, SILENT);
  const signedBy = (own: typeof signer) => async (request: Parameters<typeof own.backend.issue>[0]) => {
    const { chain } = (await own.backend.issue(request, RUN.signal)) as Issued;
    return { chain };
  };
  world.ca.answer = signedBy(signer);
  await world.settle();
  const before = world.store.view();
  world.ca.answer = signedBy(successor);
  const asked = world.ca.asked.length;
  world.authority = seen([former], { trust: both });
  return {
    world,
    before,
    /** Asks for the next certificate. */
    due: async () => {
      await world.clock.advance(HOUR);
      world.edit({ metadata: { annotations: { 'certwheel.io/renew-at': world.clock.now().toISOString() } } });
      await world.settle();
    },
    /** Reconciles whenever something is due, and once a minute, as other events would have it. */
    during: async (ms: number) => {
      const endMs = world.clock.now().getTime() + ms;
      while (world.clock.now().getTime() < endMs) {
        await world.run();
        await world.clock.advance(MINUTE);
      }
    },
    /** The machine states the other CA alone, which all trust, and signs with the former one. */
    leave: (change: Partial<AuthorityView> = {}) => {
      const leaving = { anchors: new Set([former]), since: world.clock.now() };
      world.authority = seen([former, next], { trust: both, leaving, released: new Set([KEY]), ...change });
      world.ca.answer = signedBy(signer);
    },
    /** From now on all trust the other CA. */
    trust: () => {
      world.authority = seen([former, next], { trust: both });
    },
    /** That all trust those CAs of it. */
    trusted: (usable: readonly string[], change: Partial<AuthorityView>) => {
      world.authority = seen(usable, change);
    },
    /** The machine grants no more than that. */
    grant: (lifetimeMs: number) => {
      const { answer } = world.ca;
      world.ca.answer = async (request) => answer({ ...request, lifetimeMs });
    },
    /** The private key of the certificate in use is in other hands. */
    revoke: () => {
      const serial = world.store.view()?.certificate?.serialNumber;
      world.edit({ metadata: { annotations: { 'certwheel.io/revoke': `${serial}=keyCompromise` } } });
    },
    /** The machine has gone back to the former CA, and the other one was never Active. */
    goBack: () => {
      world.authority = seen([former], { trust: bundleOf([ca.certificate]), followedAnchors: new Set([former]) });
      world.ca.answer = signedBy(signer);
    },
    away: () => {
      const trouble = { code: 'AuthorityUnreachable', message: 'no answer' } as const;
      world.authority = seen([former], { trust: both, trouble });
    },
    asked: () => world.ca.asked.length - asked,
    serial: () => world.store.view()?.certificate?.serialNumber,
    issuer: () => world.store.view()?.certificate?.anchorFingerprints[0],
  };
}

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

  test(`${kind}: one over a key that is reported to be in other hands is not published, and another key is made`, async () => {
    for (const isRestarted of [false, true]) {
      const scene = await begin({ persistKey }, { privateKey: { rotationPolicy: 'Never' } });
      const { world, before, due, revoke, trust, asked, serial, issuer } = scene;
      await due();
      const kept = world.keys.object?.data?.['tls.key'];
      revoke();
      if (isRestarted) world.restart();
      await world.settle();
      assert.is(asked(), 2);
      assert.is.not(world.keys.object?.data?.['tls.key'], kept);
      assert.is(serial(), before?.certificate?.serialNumber);
      assert.is(world.condition('Issuing'), 'True CertificateWithheld');
      trust();
      await world.settle();
      assert.is(issuer(), next);
      assert.is(asked(), 2);
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
