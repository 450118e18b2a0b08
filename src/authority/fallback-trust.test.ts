/** Which CA certificates of a fallback an authority keeps in its bundle. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW } from '../../test/pki/make.ts';
import { one, three, two } from '../../test/unit/planned-rotation.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { fallbackManifest, readFallbackSecret } from './fallback-secret.ts';
import { type FallbackScene, type KeptTrust, nextKept } from './fallback-trust.ts';

const [own, former, present] = [one.anchor, two.anchor, three.anchor];
const kept: KeptTrust = { name: 'reserve', own: [own], further: [former] };

function next(scene: Partial<FallbackScene>) {
  const given = { name: 'reserve', own: [own], stated: [former], kept: undefined, members: () => [], ...scene };
  const found = nextKept(given, NOW);
  return found && { name: found.name, own: names(found.own), further: names(found.further) };
}
const names = (certificates: readonly CertificateView[]) => certificates.map(({ subjectText }) => subjectText);
const holding = (anchor: CertificateView, notAfter = hoursFromNow(1)) => [
  { anchorFingerprints: [anchor.fingerprintSHA256], notAfter },
];
const usual = { name: 'reserve', own: names([own]), further: names([former]) };

test('what the fallback states is kept beside the own CA', () => {
  assert.equal(next({}), usual);
  assert.equal(next({ kept, stated: [present] }), { ...usual, further: names([present]) });
});

test('what is not known at this moment stays as it was', () => {
  assert.equal(next({ kept, own: [] }), usual, 'the authority can’t be asked after a restart');
  assert.equal(next({ kept, stated: undefined }), usual, 'nor can its fallback, or it was deleted');
  assert.equal(next({ stated: undefined }), { ...usual, further: [] });
});

test('what another fallback stated is no trust of the one that took its place', () => {
  assert.equal(next({ name: 'other', kept, stated: undefined }), { name: 'other', own: names([own]), further: [] });
});

test('a former fallback stays trusted as long as a valid certificate of it is held', () => {
  const used = { kept, stated: undefined, members: () => holding(former) };
  assert.equal(next({ ...used, name: undefined }), { name: '', own: names([own]), further: names([former]) });
  assert.equal(next({ ...used, name: 'other', stated: [present] })?.further, names([present, former]));
  const ended = () => holding(former, hoursFromNow(-1));
  assert.is(next({ ...used, name: undefined, members: ended }), undefined);
  assert.is(next({ ...used, name: undefined, members: () => holding(own) }), undefined);
});

test('a certificate that leads to a CA that remains too needs no other', () => {
  const twoRoots = [
    { anchorFingerprints: [own.fingerprintSHA256, former.fingerprintSHA256], notAfter: hoursFromNow(1) },
  ];
  assert.is(next({ name: undefined, kept, stated: undefined, members: () => twoRoots }), undefined);
});

test('what a certificate leads to, and no fallback ever stated, is not trusted', () => {
  const members = () => holding(present);
  assert.is(next({ name: undefined, stated: undefined, members }), undefined);
  assert.is(next({ name: undefined, kept, stated: undefined, members }), undefined);
});

test('the Secret that keeps it says the same when it is read', () => {
  const owner = { kind: 'CertificateAuthority', name: 'ca', uid: 'u1' } as const;
  const manifest = fallbackManifest(owner, 'team', kept, { metadata: { uid: 's1' } });
  assert.is(manifest.metadata.name, 'ca-ca-fallback');
  const read = readFallbackSecret(manifest, owner);
  assert.equal(
    [read?.name, names(read?.own ?? []), names(read?.further ?? [])],
    ['reserve', names([own]), names([former])],
  );
});

test.run();
