import { integer } from '../../../src/pki/asn1/write.ts';
import { makeRoot, signLeaf } from '../../../src/pki/issue.ts';
import { generateKey } from '../../../src/pki/keys.ts';
import type { Subject } from '../../../src/pki/name.ts';
import type { Names } from '../../../src/pki/san.ts';
import { signerOf } from '../../../src/pki/signer.ts';
import { type Holder, root } from '../../pki/make.ts';
import { type Dice, diceOf } from '../../pki/random-pki/dice.ts';
import { rawCertificate } from '../../pki/raw-certificate.ts';
import { randomExtensions } from './extensions.ts';
import { randomPublicKey, SIGNERS } from './keys.ts';
import { randomAddress, randomDnsName, randomMailAddress, randomUri } from './names.ts';
import { randomName, randomText } from './texts.ts';

const FIRST = Date.UTC(1950, 0, 1);
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);
const EDGES = ['2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z', '2000-02-29T12:00:00Z', '2038-01-19T03:14:08Z'].map(
  Date.parse,
);

function randomValidity(dice: Dice, last = LAST): { notBefore: Date; notAfter: Date } {
  const moment = (from: number) => {
    const near = Math.min(last, from + 3.2e12);
    const edges = [...EDGES, last].filter((each) => each > from);
    return dice.chance(0.2) && edges.length > 0
      ? dice.pick(edges)
      : from + 1000 + dice.next() * (dice.pick([near, last]) - from - 1000);
  };
  const begin = dice.chance(0.05) ? FIRST : moment(FIRST);
  const start = Math.min(begin, last - 2000);
  return { notBefore: new Date(seconds(start)), notAfter: new Date(seconds(moment(start))) };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** 1 to 20 octets, of which the first may ask for a zero before it. */
function randomSerial(dice: Dice): Buffer {
  const length = dice.pick([1, 2, 8, 16, 19, 20]);
  const bytes = Buffer.from(Array.from({ length }, () => dice.below(256)));
  if (length === 20) bytes[0] = (bytes[0] ?? 0) & 0x7f;
  if (bytes.every((byte) => byte === 0)) bytes[length - 1] = 1;
  return bytes;
}

function some<T>(dice: Dice, most: number, make: (dice: Dice) => T): T[] {
  return Array.from({ length: dice.chance(0.5) ? 0 : dice.below(most + 1) }, () => make(dice));
}

function randomSubject(dice: Dice): Subject {
  const text = (most: number) => () => randomText(dice, most);
  return {
    ...(dice.chance(0.8) && { commonName: randomText(dice, 64) }),
    organizations: some(dice, 3, text(64)),
    organizationalUnits: some(dice, 2, text(64)),
    countries: some(dice, 1, () => dice.pick(['DE', 'US', 'JP'])),
    provinces: some(dice, 1, text(128)),
    localities: some(dice, 2, text(128)),
    streetAddresses: some(dice, 1, text(128)),
    postalCodes: some(dice, 1, text(40)),
    ...(dice.chance(0.2) && { serialNumber: `SN ${dice.below(1e6)}` }),
  };
}

function randomNames(dice: Dice): Names {
  return {
    dnsNames: some(dice, 4, randomDnsName),
    uris: some(dice, 2, randomUri),
    emailAddresses: some(dice, 2, randomMailAddress),
    ipAddresses: some(dice, 3, randomAddress),
  };
}

const USAGES = [
  'digital signature',
  'content commitment',
  'key agreement',
  'client auth',
  'server auth',
  'email protection',
];

/** CAs that sign what Certwheel's own code writes. */
async function ownCas(): Promise<readonly Holder[]> {
  const dates = { notBefore: new Date(FIRST), notAfter: new Date(LAST) };
  return [
    await root(dates),
    await root({ ...dates, keySpec: { algorithm: 'Ed25519' }, commonName: 'Ünïcode' }),
    await root({ ...dates, keySpec: { algorithm: 'RSA', size: 2048 } }),
  ];
}

const cas = ownCas();

/** By the functions of the product. */
async function ownCertificate(dice: Dice): Promise<Buffer> {
  const ca = dice.pick(await cas);
  const content = { ...randomValidity(dice), serialNumber: randomSerial(dice) };
  if (dice.chance(0.1)) {
    const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
    return makeRoot({ ...content, subject: { commonName: 'CA', ...randomSubject(dice) }, signer: signerOf(key) });
  }
  const subject = randomSubject(dice);
  const names = randomNames(dice);
  const hasName = subject.commonName !== undefined || Object.values(names).some((list) => list.length > 0);
  return signLeaf({
    ...content,
    ca: { certificate: ca.certificate, signer: signerOf(ca.key) },
    publicKeyDer: randomPublicKey(dice),
    subject: hasName ? subject : { ...subject, commonName: 'client' },
    names,
    usages: ['client auth', ...USAGES.filter(() => dice.chance(0.3))],
  });
}

/** As other CAs may write them: legal, and odd. */
function foreignCertificate(dice: Dice): Buffer {
  const signer = dice.pick(SIGNERS);
  const extensions = dice.chance(0.03) ? [] : randomExtensions(dice);
  const content = {
    serialDer: dice.chance(0.01) ? integer(0) : integer(randomSerial(dice)),
    algorithm: signer.algorithm,
    issuerDer: randomName(dice),
    subjectDer: randomName(dice),
    publicKeyDer: randomPublicKey(dice),
    ...randomValidity(dice),
    extensions,
    version: extensions.length > 0 ? 3 : dice.pick([1, 3] as const),
  } as const;
  return rawCertificate(content, signer.sign);
}

/** The certificate of a seed. Its keys and signatures are new each time; all else is the same for the same seed. */
export async function randomCertificate(seed: number): Promise<Buffer> {
  const dice = diceOf(seed);
  return dice.chance(0.4) ? ownCertificate(dice) : foreignCertificate(dice);
}
