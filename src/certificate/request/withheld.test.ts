/** A certificate of a CA that isn't shown to be trusted, signed by a machine that decides by itself which CA signs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { aCertificate, after, DAY, HOUR, MINUTE, RUN } from '../../../test/unit/builders.ts';
import { CertificateWorld } from '../../../test/unit/certificate-world.ts';
import { ca } from '../../../test/unit/journaled-authority.ts';
import { anOwnAuthority, SILENT } from '../../../test/unit/own-authority.ts';
import type { Capabilities, Issued } from '../../backends/backend.ts';
import { bundleOf } from '../../pki/bundle.ts';
import type { AuthorityView } from '../observed.ts';

const other = await root({ commonName: 'another CA', notBefore: after(-400 * DAY), notAfter: after(4000 * DAY) });
const [former, next] = [ca.certificate.fingerprintSHA256, other.certificate.fingerprintSHA256];

/** A Secret with a certificate of the one CA, and a machine that has begun to sign with another one. */
async function begin(capabilities: Partial<Capabilities> = {}) {
  const world = new CertificateWorld(aCertificate({ duration: '24h' }).raw, { remote: true, ...capabilities });
  const seen = (usable: readonly string[], change: Partial<AuthorityView> = {}): AuthorityView => ({
    ...world.ca.view,
    signing: undefined,
    issuers: [],
    generations: new Map(),
    usableAnchors: new Set(usable),
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
    /** From now on all trust the other CA. */
    trust: () => {
      world.authority = seen([former, next], { trust: both });
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
    assert.ok(asked() <= 2, `after ${effects}: asked ${asked()} times`);
    assert.is(world.keys.object, undefined);
    world.told.assertNoKey();
  }
});

test.run();
