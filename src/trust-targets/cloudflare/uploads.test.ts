import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { hostnamesId } from '../remote.ts';
import { countedUploads, isOwn, planOf, readUpload, type Upload, uploadName, type Wanted } from './uploads.ts';

const UID = '7b0c1f6e-0000-4000-8000-000000000001';
const [old, fresh, ed25519] = [
  (await root({ commonName: 'Old' })).certificate,
  (await root({ commonName: 'New' })).certificate,
  (await root({ commonName: 'Ed', keySpec: { algorithm: 'Ed25519' } })).certificate,
];
const HOSTS = ['api.example.com'];

function wanted(anchors: readonly CertificateView[], more: Partial<Wanted> = {}): Wanted {
  const byFingerprint = new Map(anchors.map((each) => [each.fingerprintSHA256, each]));
  return { account: 'acct', uid: UID, anchors: byFingerprint, hostnames: HOSTS, maxCertificates: 5, ...more };
}

function upload({ fingerprintSHA256 }: CertificateView, more: Partial<Upload> = {}): Upload {
  const name = uploadName(UID, fingerprintSHA256);
  const usual = { id: fingerprintSHA256.slice(0, 8), uploadedOn: new Date(0), hostnames: HOSTS };
  return { name, fingerprint: fingerprintSHA256, ...usual, ...more };
}

/** What a plan does, by the words of the certificates. */
function plan(found: readonly Upload[], wish: Wanted, total = found.length) {
  const { remove, upload: add, associate, trouble } = planOf(found, total, wish);
  return {
    remove: remove.map(({ id }) => id),
    upload: add.map(({ subject }) => subject.commonName),
    associate: associate.map(({ upload: { id }, hostnames }) => `${id}: ${hostnames}`),
    trouble: trouble?.message ?? '',
  };
}

const NOTHING = { remove: [], upload: [], associate: [], trouble: '' };

test('an account that holds what is wanted is left alone', () =>
  assert.equal(plan([upload(old), upload(fresh)], wanted([old, fresh])), NOTHING));

test('a new CA certificate is uploaded beside the old one, and the old one leaves with its generation', () => {
  assert.equal(plan([upload(old)], wanted([old, fresh])), { ...NOTHING, upload: ['New'] });
  assert.equal(plan([upload(old), upload(fresh)], wanted([fresh])), { ...NOTHING, remove: [upload(old).id] });
});

test('hostnames of its own certificates are replaced, of those of others they are added', () => {
  const ours = upload(old, { hostnames: ['x.example.com'] });
  const theirs = upload(fresh, { id: 'theirs', name: 'by hand', hostnames: ['x.example.com'] });
  assert.equal(plan([ours, theirs], wanted([old, fresh])).associate, [
    `${ours.id}: api.example.com`,
    'theirs: x.example.com,api.example.com',
  ]);
});

test('certificates of others are never removed, nor are those of another authority', () => {
  const theirs = upload(old, { name: 'by hand' });
  const another = upload(fresh, { name: uploadName('7b0c1f6e-0000-4000-8000-000000000002', fresh.fingerprintSHA256) });
  assert.equal(plan([theirs, another], wanted([])), NOTHING);
  assert.not.ok(isOwn(upload(old, { fingerprint: fresh.fingerprintSHA256 }), UID));
});

test('of two uploads of one certificate, which two replicas can have made, one remains', () => {
  const twice = [upload(old, { id: 'b' }), upload(old, { id: 'a' })];
  assert.equal(plan(twice, wanted([old])).remove, ['b']);
});

test('what would exceed the quota is refused before the call, and what leaves makes room first', () => {
  const { upload: added, trouble } = plan([upload(old)], wanted([old, fresh]), 5);
  assert.equal(added, []);
  assert.match(trouble, 'account acct has 5 of 5 CA certificates, and 1 more are to be uploaded');
  assert.equal(plan([upload(old)], wanted([fresh]), 5), { ...NOTHING, remove: [upload(old).id], upload: ['New'] });
});

test('a CA certificate with a key of Ed25519 is refused with the reason, and the others are uploaded', () => {
  const { upload: added, trouble } = plan([], wanted([ed25519, fresh]));
  assert.equal(added, ['New']);
  assert.match(trouble, 'keys of RSA and ECDSA alone, and');
  assert.match(trouble, 'has one of Ed25519');
});

test('of what the API states, nothing is believed', () => {
  for (const value of [
    undefined,
    7,
    {},
    { id: '../x', ca: true, certificates: old.pem },
    { id: 'a', ca: false, certificates: old.pem },
    { id: 'a', ca: true, certificates: 'nonsense' },
    { id: 'a', ca: true, certificates: '' },
  ])
    assert.is(readUpload(value), undefined);
  const found = readUpload({ id: 'a', ca: true, certificates: old.pem, name: 7, uploaded_on: 'never' });
  assert.equal(found, { id: 'a', name: '', fingerprint: old.fingerprintSHA256, uploadedOn: undefined });
});

const OTHER_UID = '7b0c1f6e-0000-4000-8000-000000000003';

/** The targets of two authorities in one account, such as that of a fallback and that of the authority which names it. */
class SharedAccount {
  found: Upload[] = [];
  writes = 0;
  readonly #wishes: readonly [Wanted, Wanted];

  constructor(one: Partial<Wanted>, other: Partial<Wanted>) {
    this.#wishes = [wanted([], one), wanted([], { uid: OTHER_UID, ...other })];
  }

  /** What each does in turn, with what is known of the other. */
  turn(which: 0 | 1): void {
    const mine = { ...this.#wishes[which], others: [this.#wishes[which === 0 ? 1 : 0]] };
    const { remove, upload: added } = planOf(this.found, this.found.length, mine);
    this.found = this.found.filter((each) => !remove.includes(each));
    for (const each of added)
      this.found.push(upload(each, { name: uploadName(mine.uid, each.fingerprintSHA256), hostnames: [] }));
    const { associate } = planOf(this.found, this.found.length, mine);
    for (const {
      upload: { id },
      hostnames,
    } of associate)
      this.found = this.found.map((each) => (each.id === id ? { ...each, hostnames } : each));
    this.writes += remove.length + added.length + associate.length;
    const counted = countedUploads(this.found, mine).map((each) => [each.fingerprint, hostnamesId(each.hostnames)]);
    const asked = [...mine.anchors.keys()].map((each) => [each, hostnamesId(mine.hostnames)]);
    assert.equal(counted.toSorted(), asked.toSorted(), 'it would be written again');
  }

  change(which: 0 | 1, anchors: readonly CertificateView[]): void {
    Object.assign(this.#wishes[which], { anchors: wanted(anchors).anchors });
  }

  hostsOf(certificate: CertificateView): string[] | undefined {
    return this.found.find(({ fingerprint }) => fingerprint === certificate.fingerprintSHA256)?.hostnames.toSorted();
  }
}

for (const first of [0, 1] as const)
  test(`two authorities that upload the same CA certificate agree on its hostnames, where number ${first} is first`, () => {
    const own = { ...wanted([old, fresh]), hostnames: ['a.example.com'] };
    const account = new SharedAccount(own, { ...wanted([fresh]), uid: OTHER_UID, hostnames: ['b.example.com'] });
    const second: 0 | 1 = first === 0 ? 1 : 0;
    for (const which of [first, second, first, second] as const) account.turn(which);
    assert.equal(account.hostsOf(fresh), ['a.example.com', 'b.example.com']);
    assert.equal(account.hostsOf(old), ['a.example.com']);
    const { writes } = account;
    for (const which of [first, second, first, second] as const) account.turn(which);
    assert.is(account.writes, writes, 'nothing more is written');
    account.change(0, [old]);
    const { id } = account.found.find(({ fingerprint }) => fingerprint === fresh.fingerprintSHA256) ?? {};
    for (const which of [0, 1, 0, 1] as const) account.turn(which);
    const still = account.found.find(({ fingerprint }) => fingerprint === fresh.fingerprintSHA256);
    assert.is(still?.id, id, 'it is there all the time for the one that needs it');
    assert.equal(account.hostsOf(fresh), ['b.example.com']);
    account.change(1, []);
    for (const which of [0, 1, 0, 1] as const) account.turn(which);
    assert.is(account.hostsOf(fresh), undefined);
  });

test.run();
