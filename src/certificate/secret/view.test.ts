import { inspect } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY } from '../../../test/unit/builders.ts';
import { ca, client, KEY, object } from '../../../test/unit/client-secret.ts';
import { canonicalIdentity } from '../../api/canonical-identity.ts';
import { CERTIFICATE_NAME_LABEL } from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { bundleOf } from '../../pki/bundle.ts';
import { caKeyId, idOfChain } from '../../pki/ca.ts';
import { toPem } from '../../pki/pem.ts';
import { brief } from './brief.ts';
import { MOST_LEDGER_BYTES, readLedger } from './ledger.ts';
import { provenView, viewOnArrival, viewSecret } from './view.ts';

const withMetadata = (metadata: RawObject['metadata']): RawObject => ({
  ...object,
  metadata: { ...object.metadata, ...metadata },
});

/** All that is in a value, as text; also what only a debugger would show. */
function allOf(value: unknown): string {
  return JSON.stringify(value) + inspect(value, { depth: null, showHidden: true, maxStringLength: null });
}

function holdsNoKey(value: unknown): void {
  const text = allOf(value);
  const der = KEY.split('\n').slice(1, -2).join('');
  assert.not(text.includes('PRIVATE KEY'));
  assert.not(text.includes(der.slice(40, 80)), 'PEM');
  assert.not(text.includes(Buffer.from(KEY).toString('base64').slice(80, 120)), 'base64 of PEM');
  assert.not(text.includes(Buffer.from(der, 'base64').toString('hex').slice(80, 120)), 'hex');
}

test('a view holds the facts of the certificate', () => {
  const view = viewSecret(object);
  const { certificate } = client;
  assert.is(view.problem, undefined);
  const facts = view.certificate;
  assert.ok(facts);
  const { serialNumber, fingerprintSHA256, publicKeyPinSHA256, notBefore, notAfter, identity } = facts;
  assert.equal(
    { ...facts, serialNumber, fingerprintSHA256, publicKeyPinSHA256, notBefore, notAfter, identity },
    {
      serialNumber: certificate.serialNumber,
      fingerprintSHA256: certificate.fingerprintSHA256,
      publicKeyPinSHA256: certificate.publicKeyPin,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      identity: canonicalIdentity(certificate),
      key: { algorithm: 'ECDSA', size: 256 },
      keyEncoding: 'PKCS8',
      issuerFingerprint: ca.certificate.fingerprintSHA256,
      issuerKeyId: caKeyId(ca.certificate),
      anchorFingerprints: [ca.certificate.fingerprintSHA256],
      issuersId: idOfChain([]),
    },
  );
  assert.is(view.trustBundleHash, bundleOf([ca.certificate]).hash);
});

test("a certificate whose signature is not its CA's is none, though it names that CA", () => {
  const forged = Buffer.from(client.certificate.der);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  const text = Buffer.from(toPem('CERTIFICATE', forged)).toString('base64');
  const arrived = viewOnArrival({ ...object, data: { ...object.data, 'tls.crt': text } });
  assert.equal(arrived.claimedValidity?.notAfter, client.certificate.notAfter);
  assert.equal([arrived.isProven, arrived.certificate, arrived.problem], [false, undefined, undefined]);
  const view = provenView(arrived);
  assert.equal([view.isProven, view.certificate], [true, undefined]);
  assert.match(view.problem ?? '', 'does not lead to a CA certificate of ca.crt');
  assert.is(view.claimedValidity, undefined);
});

test('a good certificate is known once it is proven, and to prove it again costs nothing', () => {
  const arrived = viewOnArrival(object);
  assert.is(arrived.certificate, undefined);
  const proven = provenView(arrived);
  assert.is(proven.certificate?.serialNumber, client.certificate.serialNumber);
  assert.equal({ ...proven }, { ...arrived }, 'nothing else differs');
  assert.is(provenView(proven), proven);
});

test('the owner in the owner references is reported like any other', () => {
  const uids = (...all: string[]) => withMetadata({ ownerReferences: all.map((uid) => ({ uid })) });
  for (const each of [[], ['uid-1'], ['another'], ['uid-1', 'another']])
    assert.equal(viewSecret(uids(...each)).ownerReferences, each);
});

test('a view holds no key', () => {
  holdsNoKey(viewSecret(object));
});

test('a view of a Secret that is no certificate holds no key', () => {
  const { data = {} } = object;
  const torn: NonNullable<RawObject['data']>[] = [
    { 'tls.key': data['tls.key'] ?? '' },
    { ...data, 'ca.crt': data['tls.key'] ?? '' },
    { ...data, 'tls.crt': data['ca.crt'] ?? '' },
  ];
  for (const each of torn) {
    const view = viewSecret({ ...object, data: each });
    assert.is(view.certificate, undefined);
    assert.type(view.problem, 'string');
    holdsNoKey({ ...view, problem: undefined });
    assert.not(allOf(view.problem).includes('BEGIN'));
  }
});

test('a view of a Secret that was made with kubectl apply holds no key', () => {
  // kubectl keeps the whole object, data and all, in an annotation.
  const applied = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data: object.data });
  const view = viewSecret(
    withMetadata({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } }),
  );
  holdsNoKey(view);
});

test('a Secret is ours by its label and its annotation, not by one of them', () => {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  assert.equal(viewSecret(object).owner, { certificateName: 'client', certificateUid: 'uid-1' });
  assert.is(viewSecret(withMetadata({ labels: {} })).owner, undefined);
  assert.is(viewSecret(withMetadata({ annotations: {} })).owner, undefined);
  assert.is(viewSecret(withMetadata({ labels: annotations, annotations: labels })).owner, undefined);
});

test('a view keeps the labels and annotations of the template alone, and digests of long ones', () => {
  const long = 'x'.repeat(4_096);
  const view = viewSecret(
    withMetadata({
      labels: { ...object.metadata?.labels, team: 'a', foreign: 'f' },
      annotations: {
        ...object.metadata?.annotations,
        'certwheel.io/adopt': 'client',
        'certwheel.io/template-keys': 'long,note,team',
        note: 'b',
        long,
        foreign: long,
      },
    }),
  );
  assert.equal(view.labels, { team: 'a' });
  assert.equal(view.annotations, { note: 'b', long: brief(long) });
  assert.is(view.adoptBy, 'client');
});

test('a view takes no more memory however much is written onto the Secret', () => {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  const most = 'x'.repeat(250_000);
  const filled = (entries: Readonly<Record<string, string>>) =>
    Object.fromEntries([...Object.keys(entries), 'foreign', 'certwheel.io/adopt'].map((key) => [key, most]));
  const hostile = viewSecret({
    ...object,
    type: most,
    metadata: {
      ...object.metadata,
      labels: { ...filled(labels), [CERTIFICATE_NAME_LABEL]: 'client' },
      annotations: filled(annotations),
      ownerReferences: Array.from({ length: 5_000 }, (_, index) => ({ uid: `uid ${index}` })),
    },
  });
  assert.ok(allOf(hostile).length < 20_000, `${allOf(hostile).length}`);
});

const DAMAGES: Record<string, [annotation: string, value: string]> = {
  'a revision that is no number': ['revision', 'seven'],
  'a negative revision': ['revision', '-5'],
  'a revision beyond all numbers': ['revision', '99999999999999999999999'],
  'a revision with a tail': ['revision', '7; drop'],
};

for (const [sentence, [name, value]] of Object.entries(DAMAGES)) {
  test(`${sentence} is as good as none`, () => {
    const annotations = { ...object.metadata?.annotations, [`certwheel.io/${name}`]: value };
    assert.is(viewSecret(withMetadata({ annotations })).memory.revision, 0);
  });
}

const GENERATIONS: Record<string, string> = { word: 'two', 'negative number': '-2', zero: '0', fraction: '1.5' };

for (const [sentence, value] of Object.entries(GENERATIONS)) {
  test(`a CA generation that is a ${sentence} is as good as none`, () => {
    const annotations = { ...object.metadata?.annotations, 'certwheel.io/authority-generation': value };
    assert.is(viewSecret(withMetadata({ annotations })).memory.authorityGeneration, undefined);
  });
}

test('the readable ones among damaged serials are kept', () => {
  const annotations = { 'certwheel.io/serials': ',=,0a=tomorrow,0b=2026-06-02T12:00:00Z,0c,0d=2026-06-03T12:00:00Z=x' };
  assert.equal(readLedger(viewSecret(withMetadata({ annotations })).memory.ledger).entries[0], {
    serialNumber: '0b',
    notAfter: after(DAY),
  });
});

test('the external id of the newest certificate is read where former versions wrote it', () => {
  const serials = '0b=2026-06-03T12:00:00Z,0a=2026-06-02T12:00:00Z';
  const annotations = { 'certwheel.io/serials': serials, 'certwheel.io/external-id': 'order/7' };
  const { ledger } = viewSecret(withMetadata({ annotations })).memory;
  assert.is(ledger, '0b=2026-06-03T12:00:00Z=order/7,0a=2026-06-02T12:00:00Z');
  const { 'certwheel.io/external-id': _, ...alone } = annotations;
  assert.is(viewSecret(withMetadata({ annotations: alone })).memory.ledger, serials);
});

test('a ledger of many certificates counts for the share of its namespace, and one that is too long is not kept', () => {
  const withLedger = (length: number) =>
    viewSecret(withMetadata({ annotations: { 'certwheel.io/serials': 'x'.repeat(length) } }));
  assert.is(withLedger(200).weight, withLedger(0).weight);
  assert.ok(withLedger(MOST_LEDGER_BYTES).weight > withLedger(0).weight + 16_000);
  assert.is(withLedger(MOST_LEDGER_BYTES + 1).memory.ledger, '');
});

const names = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'certwheel.io/revision',
    'certwheel.io/serials',
    'certwheel.io/issued-at',
    'certwheel.io/requested-duration',
    'certwheel.io/authority-generation',
    'certwheel.io/certificate-name',
    'certwheel.io/certificate-uid',
  ),
  fc.string(),
);
const entries = fc
  .array(fc.tuple(names, fc.oneof(fc.string(), fc.constantFrom('1', '-1', 'NaN', '2026-06-01T12:00:00Z'))))
  .map((all) => Object.fromEntries(all));

test('a view can be made of any Secret', () => {
  fc.assert(
    fc.property(entries, entries, fc.dictionary(names, fc.string()), (labels, annotations, data) => {
      const view = viewSecret({ ...withMetadata({ labels, annotations }), data });
      assert.type(view.problem, 'string');
      assert.ok(Number.isSafeInteger(view.memory.revision) && view.memory.revision >= 0);
      assert.is(Object.getPrototypeOf(view.labels), Object.prototype);
    }),
    { numRuns: 500 },
  );
});

test('a Secret without metadata and data is a view too', () => {
  assert.is(viewSecret({}).problem, 'tls.crt is missing');
});

test.run();
