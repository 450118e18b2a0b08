/** Whole looks at the targets of one authority, whose one object is in memory; what partners offer is said by the test. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, root, serial } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { RawObject } from '../api/parse.ts';
import { bundleOf } from '../pki/bundle.ts';
import { type CertificateView, parseCertificate } from '../pki/certificate.ts';
import { caBasicConstraints, usageExtensions } from '../pki/extensions.ts';
import { publicKeyDer } from '../pki/keys.ts';
import type { Run } from '../queue/controller.ts';
import { targetProofs } from './proofs.ts';
import { reconcileTargets, type TargetsDeps } from './reconcile.ts';
import { TargetResults } from './results.ts';
import type { SourceFinding } from './sources.ts';
import { UNREAD } from './troubles.ts';
import { type TargetView, targetViewer } from './view.ts';

const KEY = 'ClusterCertificateAuthority/ca';
const nothing = () => {};
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const aCa = async (commonName: string, notAfter = hoursFromNow(300)) =>
  parseCertificate((await root({ commonName, notBefore: hoursFromNow(-100), notAfter })).certificate.der);
const [own, partner] = [await aCa('Own'), await aCa('Partner')];

/** A CA certificate with the name of another one, and with no key id that would tell them apart. */
async function namesakeOf({ subjectDer }: CertificateView): Promise<CertificateView> {
  const { key } = await root();
  const extensions = [caBasicConstraints(), ...usageExtensions(['cert sign', 'crl sign'])];
  const validity = { notBefore: hoursFromNow(-1), notAfter: hoursFromNow(300) };
  const names = { issuerDer: subjectDer, subjectDer };
  const publicKey = { publicKeyDer: publicKeyDer(key) };
  return parseCertificate(
    writeCertificate({ ...validity, ...names, ...publicKey, serialNumber: serial(), extensions, signingKey: key }),
  );
}

const offers = (name: string, ...certificates: readonly CertificateView[]): SourceFinding => ({
  name,
  certificates,
  refused: [],
  trouble: undefined,
});
const unread = (name: string): SourceFinding => ({
  name,
  certificates: undefined,
  refused: [],
  trouble: { code: 'TrustBundleNotFound', message: 'there is no ConfigMap' },
});

class Place {
  readonly clock = new FakeClock(NOW);
  results = new TargetResults();
  isOurs = true;
  generation = 1;
  /** How often the authority was woken. */
  wakes = 0;
  /** What the authority has reported. */
  reported: unknown;
  /** The namespaces that are being deleted. */
  ending: readonly string[] | 'never said' = [];
  namespaces: readonly string[] = ['shop'];
  read: () => Promise<readonly SourceFinding[]> = async () => [];
  /** Nothing has come of the watch yet. */
  isUnread = false;
  /** The CA certificates of the authority itself. */
  own: readonly CertificateView[] = [own];
  #stored: TargetView | undefined;
  #version = 0;

  /** After a start nothing is remembered, and the object is as it was. */
  restart(): void {
    this.results = new TargetResults();
  }

  /** What the target holds afterwards, by the common names. */
  async look(...findings: readonly SourceFinding[]): Promise<string[]> {
    this.read = async () => findings;
    await this.run();
    const all = [own, partner, ...findings.flatMap(({ certificates = [] }) => certificates)];
    const nameOf = (fingerprint: string) => {
      const found = all.find((each) => each.fingerprintSHA256 === fingerprint);
      return found === own ? 'own' : found === partner ? 'partner' : 'other';
    };
    return (this.#stored?.held ?? []).map(nameOf).sort();
  }

  /** Another party changes something of the object that is none of ours. */
  touch(): void {
    if (this.#stored !== undefined) this.#stored = { ...this.#stored, resourceVersion: 'touched' };
  }

  /** What another party puts beside what is in the object. */
  add(certificate: CertificateView): void {
    if (this.#stored !== undefined)
      this.#stored = { ...this.#stored, held: [...this.#stored.held, certificate.fingerprintSHA256], hash: 'another' };
  }

  run(signal = new AbortController().signal) {
    const run = { signal, releaseWorker: <T>(work: () => Promise<T>) => work() } as Run;
    return reconcileTargets(KEY, this.#deps as unknown as TargetsDeps, run);
  }

  get resource() {
    const target = { name: 't', kind: 'ConfigMap', object: 'client-ca', key: 'ca.crt', formats: [] };
    return {
      kind: 'ClusterCertificateAuthority',
      namespace: '',
      name: 'ca',
      uid: 'uid',
      generation: this.generation,
      status: { trust: this.reported },
      spec: {},
      trustSources: [{ name: 'first' }, { name: 'second' }],
      trustTargets: [{ ...target, namespaces: { names: this.namespaces } }],
      revocation: {},
    };
  }

  get #deps() {
    const view = targetViewer('ConfigMap');
    const store = (manifest: RawObject) => {
      const metadata = { ...manifest.metadata, uid: 'o', resourceVersion: String(++this.#version) };
      return { ...manifest, metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z' } };
    };
    return {
      find: () => this.resource,
      trustOf: () => bundleOf(this.own),
      cas: () => [],
      places: { names: this.namespaces, labels: () => ({}), isWhole: true },
      view: () => this.#stored,
      labelled: () => (this.#stored === undefined || this.isUnread ? [] : [this.#stored]),
      unknown: () => (this.isUnread ? UNREAD : undefined),
      wakeAuthority: () => {
        this.wakes++;
        this.reported = this.results.status(this.resource as never);
      },
      recordEvent: nothing,
      sources: { read: () => this.read(), forget: nothing },
      remote: { refresh: nothing, nextRead: nothing, forget: nothing },
      crls: { forget: nothing },
      clients: () => [],
      isOurs: () => this.isOurs,
      results: this.results,
      delivery: { seesPods: false },
      ownership: { assert: nothing },
      clock: this.clock,
      log: LOG,
      metrics: { showTargets: nothing, hideTargets: nothing, targetWritten: nothing },
      access: {
        get: async () => undefined,
        apply: async (_kind: string, manifest: RawObject) => store(manifest),
        put: (_kind: string, object: RawObject) => {
          this.#stored = view(object);
        },
        view: (_kind: string, object: RawObject) => view(object),
        remove: async () => {},
        isEnding: (namespace: string, signal: AbortSignal) =>
          this.ending === 'never said'
            ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
            : Promise.resolve(this.ending.includes(namespace)),
        reservationOf: nothing,
        purposeOf: nothing,
      },
    };
  }
}

for (const [what, between] of Object.entries({
  'while the controller runs': nothing,
  'after a start': (place: Place) => place.restart(),
}))
  test(`the CA of a partner that can't be read for a moment is not pushed out by a namesake, ${what}`, async () => {
    const place = new Place();
    const namesake = await namesakeOf(partner);
    const both = ['own', 'partner'];
    assert.equal(await place.look(offers('first'), offers('second', partner)), both);
    assert.equal(await place.look(offers('first', namesake), offers('second', partner)), both, 'it is left out');
    between(place);
    assert.equal(await place.look(offers('first', namesake), unread('second')), both, 'nothing is written');
    assert.equal(await place.look(offers('first', namesake), offers('second', partner)), both);
  });

test('a text of which all has expired takes nothing out of the targets, after a start too', async () => {
  const place = new Place();
  const old = await aCa('Partner of before', hoursFromNow(-1));
  await place.look(offers('second', partner));
  place.restart();
  assert.equal(await place.look(offers('second', old)), ['own', 'partner']);
  const [source] = place.results.survey(KEY)?.sources ?? [];
  assert.match(source?.trouble?.message ?? '', 'all of its CA certificates have expired');
  assert.equal(await place.look(offers('second', partner)), ['own', 'partner']);
  assert.equal(await place.look(offers('second')), ['own'], 'what is taken out on purpose goes');
});

test('the same holds where the first look after the start finds no target read', async () => {
  const place = new Place();
  const old = await aCa('Partner of before', hoursFromNow(-1));
  const namesake = await namesakeOf(partner);
  await place.look(offers('first'), offers('second', partner));
  place.restart();
  place.isUnread = true;
  await place.look(offers('first', namesake), offers('second', partner));
  place.isUnread = false;
  assert.equal(await place.look(offers('first', namesake), offers('second', partner)), ['own', 'partner']);
  place.restart();
  place.isUnread = true;
  await place.look(offers('second', old));
  place.isUnread = false;
  assert.equal(await place.look(offers('second', old)), ['own', 'partner']);
});

test('a source that had expired before keeps no target as it is after a start', async () => {
  const old = await aCa('Gone', hoursFromNow(-1));
  const [stranger, next] = [await aCa('Stranger'), await aCa('Next')];
  const place = new Place();
  await place.look(offers('first', old));
  place.add(stranger);
  place.restart();
  assert.equal(await place.look(offers('first', old)), ['own'], 'what another party added is taken out');
  place.own = [next];
  place.restart();
  assert.equal(await place.look(offers('first', old)), ['other'], 'its own CA was replaced meanwhile');
});

test('what has expired in the targets too keeps nothing waiting after a start', async () => {
  const place = new Place();
  const soon = await aCa('Short', hoursFromNow(1));
  await place.look(offers('second', soon));
  await place.clock.advance(2 * 3_600_000);
  place.restart();
  assert.equal(await place.look(offers('second', soon)), ['own']);
});

/** A place whose authority another replica has, and the objects that are waited for there. */
function followed(namespaces?: readonly string[]) {
  const place = new Place();
  if (namespaces !== undefined) place.namespaces = namespaces;
  const proofs = () => {
    const survey = place.results.survey(KEY);
    if (survey === undefined) throw new Error('there was no look');
    const { fingerprintSHA256 } = own;
    return targetProofs(place.resource as never, survey, fingerprintSHA256, { seesPods: false } as never, NOW);
  };
  return { place, waiting: () => proofs().map(({ subject }) => subject) };
}

test('the replica that has the fallback waits for no object in a namespace that is being deleted', async () => {
  const { place, waiting } = followed();
  place.isOurs = false;
  await place.run();
  assert.equal(waiting(), ['ConfigMap shop/client-ca']);
  place.ending = ['shop'];
  await place.run();
  assert.equal(waiting(), []);
  place.ending = [];
  await place.run();
  assert.equal(waiting(), ['ConfigMap shop/client-ca'], 'it was made anew');
});

test('once such an object is there again it is waited for, whatever it holds', async () => {
  const { place, waiting } = followed();
  place.isOurs = false;
  place.ending = ['shop'];
  await place.run();
  assert.equal(waiting(), []);
  place.ending = [];
  const { results } = place;
  place.restart();
  place.isOurs = true;
  await place.look(offers('second', partner));
  place.isOurs = false;
  place.results = results;
  place.own = [await aCa('Another')];
  await place.run();
  assert.equal(waiting(), ['ConfigMap shop/client-ca']);
});

test('many namespaces that are being deleted are found out in turn', async () => {
  const names = Array.from({ length: 45 }, (_, index) => `shop-${index}`);
  const { place, waiting } = followed(names);
  place.isOurs = false;
  place.ending = names;
  const left: number[] = [];
  for (let look = 0; look < 4; look++) {
    await place.run();
    left.push(waiting().length);
  }
  assert.equal(left, [25, 5, 0, 0]);
});

test('a replica that asks for namespaces in vain ends with its process', async () => {
  const { place } = followed();
  place.isOurs = false;
  place.ending = 'never said';
  const stop = new AbortController();
  const run = place.run(stop.signal);
  stop.abort(new Error('shutting down'));
  assert.is((await run).do, 'rest');
});

for (const isOurs of [true, false])
  test(`what proves the trust in a CA wakes the authority${isOurs ? '' : ' of its fallback'}, though its status says the same`, async () => {
    const place = new Place();
    await place.run();
    place.isOurs = isOurs;
    const wakes = async () => {
      const before = place.wakes;
      await place.run();
      return place.wakes - before;
    };
    place.restart();
    assert.is(await wakes(), 1, 'nothing was known after the start');
    assert.is(await wakes(), 0);
    place.touch();
    assert.is(await wakes(), 0, 'another party has touched an object');
    place.generation++;
    assert.is(await wakes(), 1, 'what is known was of a former spec');
    assert.is(await wakes(), 0);
  });

test('a run waits for its sources for some seconds at most, and no longer than its process', async () => {
  const place = new Place();
  place.read = () => new Promise(() => {});
  const outcome = await place.run();
  assert.is(outcome.do, 'rest');
  assert.ok(outcome.do === 'rest' && outcome.recheckAt !== undefined && outcome.recheckAt > place.clock.now());
  const stop = new AbortController();
  const stopped = place.run(stop.signal);
  stop.abort();
  assert.is((await stopped).do, 'rest');
});

test.run();
