import { CERTIFICATE_LABEL, parseCertificate } from '../../src/pki/certificate.ts';
import { proveIssued } from '../../src/pki/chain.ts';
import { makeCsr } from '../../src/pki/csr.ts';
import { signLeaf } from '../../src/pki/issue.ts';
import { encodePrivateKey, generateKey, type KeySpec, publicKeyDer } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { signerOf } from '../../src/pki/signer.ts';
import { describe, hoursFromNow, NOW, P256, root, serial } from './make.ts';

/** Prints CPU milliseconds (all threads) for each step of a rotation: `node test/pki/bench.ts`. */
const RUNS = 3000;
const ca = await root();
const issuer = { certificate: ca.certificate, signer: signerOf(ca.key) };
const ASKED = {
  subject: { commonName: 'client', organizations: ['team'] },
  names: {
    dnsNames: ['client.team.svc'],
    uris: ['spiffe://td.example/ns/team/sa/client'],
    emailAddresses: [],
    ipAddresses: ['2001:db8::1'],
  },
  usages: ['digital signature', 'client auth'],
};

async function issue(keySpec: KeySpec) {
  const key = await generateKey(keySpec);
  const publicKey = publicKeyDer(key);
  const der = await signLeaf({
    ca: issuer,
    publicKeyDer: publicKey,
    ...ASKED,
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(24),
    serialNumber: serial(),
  });
  return { key, publicKey, der, certificatePem: toPem(CERTIFICATE_LABEL, der), keyPem: encodePrivateKey(key, 'PKCS8') };
}

async function measure(what: string, work: () => unknown): Promise<void> {
  for (let run = 0; run < RUNS / 3; run += 1) await work();
  const rounds: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const start = process.cpuUsage();
    for (let run = 0; run < RUNS; run += 1) await work();
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / 1000 / RUNS);
  }
  console.log(`${what.padEnd(60)} ${rounds.map((ms) => ms.toFixed(3)).join('  ')} ms CPU`);
}

const { key, publicKey, der } = await issue(P256);
const leaf = parseCertificate(der);
const carries = ['commonName', 'subject', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'] as const;

for (const spec of [P256, { algorithm: 'ECDSA', size: 384 }, { algorithm: 'Ed25519' }] as const) {
  await measure(`${describe(spec)}: generateKey + signLeaf (P-256 CA) + both PEMs`, () => issue(spec));
}
await measure('ECDSA 256: generateKey', () => generateKey(P256));
await measure('ECDSA 256: makeCsr', () => makeCsr({ key, ...ASKED }));
await measure('ECDSA 256: parseCertificate', () => parseCertificate(der));
await measure('ECDSA 256: parseCertificate of a root (verifies it)', () => parseCertificate(ca.certificate.der));
await measure('ECDSA 256: proveIssued', () =>
  proveIssued({
    chain: [leaf],
    anchors: [ca.certificate],
    expected: { ...ASKED, publicKeyDer: publicKey, now: NOW },
    carries,
  }),
);
