import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extension } from '../../test/pki/constrained.ts';
import { opensslVerdict } from '../../test/pki/judges/judges.ts';
import { hoursFromNow, NOW, P256, serial } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { type CertificateView, parseCertificate, parseCertificates } from './certificate.ts';
import { boolean, integer, sequence, tlv } from './der.ts';
import {
  authorityKeyIdExtension,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  subjectKeyIdExtension,
  usageExtensions,
} from './extensions.ts';
import { writeCertificate } from './issue.ts';
import { encodePrivateKey, generateKey, publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { NO_NAMES } from './san.ts';
import { strictFlaws } from './strict.ts';

const keys = { leaf: await generateKey(P256), int: await generateKey(P256), root: await generateKey(P256) };
type Place = keyof typeof keys;

interface Shape {
  readonly keyUsage: boolean;
  readonly critical: boolean;
  readonly pathLength: boolean;
  readonly subjectKeyId: boolean;
  readonly authorityKeyId: 'key' | 'issuer' | 'empty' | 'none';
  readonly names: 'none' | 'empty' | 'dns';
  readonly criticalNames: boolean;
  readonly subject: boolean;
}

const SOUND: Shape = {
  keyUsage: true,
  critical: true,
  pathLength: false,
  subjectKeyId: true,
  authorityKeyId: 'key',
  names: 'none',
  criticalNames: false,
  subject: true,
};
type Shapes = Partial<Record<Place, Partial<Shape>>>;

function nameOf(place: Place, shapes: Shapes): Buffer {
  return encodeName((shapes[place]?.subject ?? true) ? { commonName: place } : {});
}

function authorityOf(shape: Shape, issuer: Place, shapes: Shapes): Buffer[] {
  switch (shape.authorityKeyId) {
    case 'key':
      return [authorityKeyIdExtension(keyIdOf(publicKeyDer(keys[issuer])))];
    case 'issuer': {
      // The serial number of the issuer would have to match.
      const names = tlv(0xa1, tlv(0xa4, nameOf(issuer === 'int' ? 'root' : issuer, shapes)));
      return [extension('2.5.29.35', sequence(names))];
    }
    case 'empty':
      return [extension('2.5.29.35', sequence())];
    case 'none':
      return [];
  }
}

function namesOf({ names, criticalNames }: Shape): Buffer[] {
  if (names === 'none') return [];
  if (names === 'empty') return [extension('2.5.29.17', sequence(), criticalNames)];
  return nameExtensions({ ...NO_NAMES, dnsNames: ['a.example'] }, criticalNames);
}

function extensionsOf(place: Place, issuer: Place, shapes: Shapes): Buffer[] {
  const shape = { ...SOUND, ...shapes[place] };
  const isLeaf = place === 'leaf';
  const limits = [boolean(true), ...(shape.pathLength ? [integer(3)] : [])];
  const keyId = keyIdOf(publicKeyDer(keys[place]));
  return [
    isLeaf ? LEAF_BASIC_CONSTRAINTS : extension('2.5.29.19', sequence(...limits), shape.critical),
    ...usageExtensions([
      ...(shape.keyUsage && !isLeaf ? ['cert sign', 'crl sign'] : []),
      ...(isLeaf ? ['client auth'] : []),
    ]),
    ...(shape.subjectKeyId ? [subjectKeyIdExtension(keyId)] : []),
    ...authorityOf(shape, issuer, shapes),
    ...namesOf(shape),
  ];
}

function write(place: Place, issuer: Place, shapes: Shapes): CertificateView {
  const der = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(24),
    serialNumber: serial(),
    issuerDer: nameOf(issuer, shapes),
    subjectDer: nameOf(place, shapes),
    publicKeyDer: publicKeyDer(keys[place]),
    extensions: extensionsOf(place, issuer, shapes),
    signingKey: keys[issuer],
  });
  return parseCertificate(der);
}

function chainOf(shapes: Shapes): CertificateView[] {
  return [write('leaf', 'int', shapes), write('int', 'root', shapes), write('root', 'root', shapes)];
}

function flawsOf(shapes: Shapes): string[] {
  return strictFlaws(chainOf(shapes)).map(({ certificate, flaw }) => `${certificate} ${flaw}`);
}

test('a sound path has no flaws, and neither has a root alone', () => {
  assert.equal(flawsOf({}), []);
  assert.equal(strictFlaws(chainOf({}).slice(2)), []);
});

test('each flaw is named with the certificate that has it', () => {
  assert.equal(flawsOf({ root: { keyUsage: false } }), ['CN=root NoKeyUsage']);
  assert.equal(flawsOf({ int: { critical: false } }), ['CN=int BasicConstraintsNotCritical']);
  assert.equal(flawsOf({ root: { subjectKeyId: false } }), ['CN=root NoSubjectKeyId']);
  assert.equal(flawsOf({ int: { authorityKeyId: 'none' } }), ['CN=int NoAuthorityKeyId']);
  assert.equal(flawsOf({ leaf: { subjectKeyId: false } }), []);
  assert.equal(flawsOf({ root: { authorityKeyId: 'none' } }), []);
  assert.equal(flawsOf({ leaf: { subject: false, names: 'dns' } }), [' AlternativeNameNotCritical']);
});

test('a leaf with the rights of a CA that it is not is flawed', () => {
  const [leaf, ...issuers] = chainOf({});
  assert.ok(leaf);
  const flaws = (view: Partial<CertificateView>) => strictFlaws([{ ...leaf, ...view }, ...issuers]);
  assert.is(flaws({ certSign: true })[0]?.flaw, 'CertSignWithoutCa');
  assert.is(flaws({ pathLength: 0 })[0]?.flaw, 'PathLengthWithoutCa');
});

test('a path has flaws exactly where openssl verify -x509_strict refuses what it accepts otherwise', () => {
  const mostly = <T>(usual: T, ...others: T[]) => fc.constantFrom(usual, usual, usual, usual, ...others);
  const shape = fc.record({
    keyUsage: mostly(true, false),
    critical: mostly(true, false),
    pathLength: mostly(false, true),
    subjectKeyId: mostly(true, false),
    authorityKeyId: mostly<Shape['authorityKeyId']>('key', 'issuer', 'empty', 'none'),
    names: mostly<Shape['names']>('none', 'empty', 'dns'),
    criticalNames: fc.boolean(),
    subject: mostly(true, true, true, true, false),
  });
  const sound = fc.constant({});
  const shapes = fc.record({ leaf: fc.oneof(sound, shape), int: fc.oneof(sound, shape), root: fc.oneof(sound, shape) });
  let [strict, lax] = [0, 0];
  fc.assert(
    fc.property(shapes, (each) => {
      const chain = chainOf(each);
      if (opensslVerdict(chain, NOW) !== undefined) return;
      const refused = opensslVerdict(chain, NOW, ['-x509_strict']);
      assert.is(strictFlaws(chain).length > 0, refused !== undefined, refused ?? JSON.stringify(strictFlaws(chain)));
      if (refused === undefined) lax += 1;
      else strict += 1;
    }),
    { numRuns: Number(process.env.STRICT_RUNS ?? 100) },
  );
  assert.ok(strict > 5 && lax > 5, `${strict} refused, ${lax} accepted`);
});

/** Runs the command of a flaw's message in a folder that holds the files it names. */
function mended(certificate: CertificateView, place: Place, message: string, root: CertificateView): CertificateView {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-strict-'));
  try {
    writeFileSync(join(folder, 'ca.crt'), certificate.pem);
    writeFileSync(join(folder, 'root.crt'), root.pem);
    for (const [file, key] of [
      ['ca.key', keys[place]],
      ['root.key', keys.root],
    ] as const)
      writeFileSync(join(folder, file), encodePrivateKey(key, 'PKCS8'), { mode: 0o600 });
    execFileSync('sh', ['-c', message.slice(message.indexOf('printf '))], { cwd: folder, stdio: 'ignore' });
    const [made] = parseCertificates(readFileSync(join(folder, 'new.crt'), 'utf8'));
    assert.ok(made);
    return made;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the command in the message mends a CA and keeps its key, subject, key id and other extensions', () => {
  const flawed = { keyUsage: false, critical: false, pathLength: true, names: 'dns' } as const;
  for (const shapes of [
    { root: flawed },
    { root: { ...flawed, subjectKeyId: false } },
    { int: { ...flawed, authorityKeyId: 'none' } },
    { int: { ...flawed, subjectKeyId: false } },
  ] as const satisfies Shapes[]) {
    const place: Place = 'root' in shapes ? 'root' : 'int';
    const chain = chainOf(shapes);
    const root = chain[2];
    const before = place === 'root' ? root : chain[1];
    const [flaw] = strictFlaws(chain);
    assert.ok(before && root && flaw);
    const after = mended(before, place, flaw.message, root);
    assert.ok(after.publicKeyDer.equals(before.publicKeyDer) && after.subjectDer.equals(before.subjectDer));
    assert.is(after.subjectKeyId, before.subjectKeyId ?? keyIdOf(before.publicKeyDer).toString('hex'));
    assert.equal([after.pathLength, after.names], [3, before.names]);
    const top = place === 'root' ? [after] : [after, root];
    assert.equal(strictFlaws(top), []);
    const [issuer] = top.slice(-1);
    assert.ok(
      openssl(['verify', '-x509_strict', '-no_check_time', '-CAfile', '{ca}', '{it}'], {
        ca: issuer?.pem ?? '',
        it: after.pem,
      }).ok,
    );
  }
});

test('the message says who refuses', () => {
  const [flaw] = strictFlaws(chainOf({ root: { keyUsage: false } }));
  assert.match(
    flaw?.message ?? '',
    /^CN=root has no key usage: Python 3\.13 and later and "openssl verify -x509_strict"/,
  );
});

test.run();
