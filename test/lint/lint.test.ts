/**
 * zlint and pkilint over certificates as Certwheel makes them: none has a finding at warning or above, except those of
 * linters/allowed.ts.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificate, parseCertificates } from '../../src/pki/certificate.ts';
import { authorityKeyIdExtension, nameExtensions } from '../../src/pki/extensions.ts';
import { keyIdOfCa } from '../../src/pki/issue.ts';
import { generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName } from '../../src/pki/name.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { makeOcspKey } from '../../src/revocation/crl/ocsp-signer.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { ALL_KEYS, hoursFromNow, leaf, NOW, P256, pairOf, root, serial } from '../pki/make.ts';
import { publishedBy } from '../pki/published.ts';
import { writeCertificate } from '../pki/write-certificate.ts';
import { type Made, makeGrid } from './grid/grid.ts';
import { ALLOWED, isAllowedBy } from './linters/allowed.ts';
import { type Finding, isFault, startLinters } from './linters/linters.ts';

const linters = lazily(startLinters);
test.after(linters.stop);

/** How many are asked for at once: both linters then work side by side. */
const BATCH = 50;

async function faultsOf(grid: readonly Made[]): Promise<readonly { made: Made; finding: Finding }[]> {
  const { lint } = await linters.get();
  const found: { made: Made; finding: Finding }[] = [];
  for (let start = 0; start < grid.length; start += BATCH) {
    const batch = grid.slice(start, start + BATCH);
    const answers = await Promise.all(batch.map(async (made) => ({ made, findings: await lint(made) })));
    found.push(
      ...answers.flatMap(({ made, findings }) => findings.filter(isFault).map((finding) => ({ made, finding }))),
    );
  }
  return found;
}

test('at least 500 certificates have no finding but those that are allowed, and no allowance is in vain', async () => {
  const grid = await makeGrid(NOW);
  assert.ok(grid.length >= 500, `${grid.length} certificates`);
  assert.is(new Set(grid.map(({ name }) => name)).size, grid.length, 'two have one name');
  const faults = await faultsOf(grid);
  const wrong = faults.filter(({ finding }) => !ALLOWED.some((each) => isAllowedBy(finding, each)));
  assert.equal(wrong.slice(0, 10).map(shown), []);
  console.log(`# ${grid.length} certificates, ${faults.length} findings that are allowed`);
  const unused = ALLOWED.filter((each) => !faults.some(({ finding }) => isAllowedBy(finding, each)));
  assert.equal(unused, [], 'allowances that match no finding any more');
});

test('certificates that name a CRL and an OCSP responder, and those of the responder, have no finding', async () => {
  const serialKey = Buffer.alloc(32, 7);
  const revocation = { uid: '0b4f1b1e-0000-4000-8000-000000000000', serialKey: () => serialKey };
  const made: Made[] = [];
  for (const keySpec of ALL_KEYS)
    for (const url of ['http://crl.example.com', 'http://pki.example.com:8080/a/b', 'http://crl.bücher.example']) {
      const pair = pairOf(await root({ keySpec }));
      const issuer = pair.certificate;
      const key = publicKeyDer(await generateKey(keySpec));
      const identity = {
        subject: { commonName: 'client' },
        names: NO_NAMES,
        usages: ['digital signature', 'client auth'],
      };
      const { tlsCrt } = await publishedBy(pair, identity, key, 3_600_000, NOW, { ...revocation, url });
      made.push({ name: `leaf of ${url}`, certificate: tlsCrt[0] ?? issuer, issuer });
      const { crt } = await makeOcspKey({
        path: pair,
        signer: pair.signer,
        serialKey,
        lifetimeMs: 86_400_000,
        now: NOW,
      });
      const [certificate = issuer] = parseCertificates(crt.toString());
      made.push({ name: 'responder', certificate, issuer });
    }
  assert.equal((await faultsOf(made)).map(shown), []);
});

function shown({ made, finding: { linter, severity, code, details } }: { made: Made; finding: Finding }): string {
  return `${linter}: ${severity} ${code}: ${details}\n${made.name}\n${made.certificate.pem}`;
}

async function codesOf(made: Pick<Made, 'certificate' | 'issuer'>): Promise<string[]> {
  const { lint } = await linters.get();
  return (await lint(made)).filter(isFault).map(({ code }) => code);
}

test('both linters find a key usage that the key must not have', async () => {
  const ca = await root();
  const key = await generateKey({ algorithm: 'RSA', size: 2048 });
  const usages = ['digital signature', 'key agreement', 'client auth'];
  const { certificate } = await leaf(ca, { key, usages });
  const codes = await codesOf({ certificate, issuer: ca.certificate });
  assert.equal(codes, ['e_rsa_allowed_ku_ee', 'pkix.key_usage_value_prohibited_for_rsa']);
});

test('both linters find names that are not critical where there is no subject', async () => {
  const ca = await root();
  const key = await generateKey(P256);
  const certificate = parseCertificate(
    writeCertificate({
      notBefore: NOW,
      notAfter: hoursFromNow(1),
      serialNumber: serial(),
      issuerDer: ca.certificate.subjectDer,
      subjectDer: encodeName({}),
      publicKeyDer: publicKeyDer(key),
      extensions: [
        ...nameExtensions({ ...NO_NAMES, dnsNames: ['a.example.com'] }, false),
        authorityKeyIdExtension(keyIdOfCa(ca.certificate)),
      ],
      signingKey: ca.key,
    }),
  );
  const codes = await codesOf({ certificate, issuer: ca.certificate });
  for (const code of ['e_ext_san_not_critical_without_subject', 'pkix.san_extension_not_critical_empty_subject'])
    assert.ok(codes.includes(code), codes.join());
});

test('pkilint finds an issuer that did not sign', async () => {
  const { certificate } = await leaf(await root());
  const codes = await codesOf({ certificate, issuer: (await root()).certificate });
  assert.equal(codes, ['pkix.issuer_and_subject_key_identifier_not_equal', 'pkix.signature_verification_failed']);
});

test.run();
