import { type CaPair, type CaPath, caPath } from './ca.ts';
import { CaError } from './ca-error.ts';
import { chooseChain } from './ca-path.ts';
import { caSigner } from './ca-signer.ts';
import { type CertificateView, distinct } from './certificate.ts';
import { CertificateStore } from './certificate-store.ts';
import { keyMatches } from './key-match.ts';
import { type PrivateKey, publicKeyDer } from './keys.ts';
import { restOf } from './left-aside.ts';
import { type CertificateBlock, MaterialError, readCertificateBlocks, readKey } from './material.ts';
import { parseBlock } from './parse-block.ts';
import { nameOf } from './path.ts';
import type { Path } from './path-search.ts';
import { type Aside, type Signer, signingAside } from './signer.ts';
import { refusalOfTrial } from './trial.ts';

/** The certificates of a CA as its owner keeps them: the bytes under the keys of one Secret or ConfigMap. */
export interface CaCertificates {
  /** Names the source in messages, such as `Secret shop/ca`. */
  readonly place: string;
  /** tls.crt: the CA's certificate and those above it, in any order, with strangers among them. */
  readonly certificates: Buffer;
  /** ca.crt: the certificates above are looked for here too. */
  readonly roots?: Buffer | undefined;
  /** Whether a certificate that is not self-signed may stand at the top. */
  readonly partialChain?: boolean | undefined;
}

/** The same with the key. */
export interface CaMaterial extends CaCertificates {
  /** tls.key */
  readonly key: Buffer;
}

/** A bundle of all public roots takes 250 kB. */
const MAX_ROOTS_BYTES = 1_048_576;
const MOST_ROOTS = 2_000;
const MOST_CERTIFICATES = 50;
const MOST_COMPARED = 5;

/**
 * Reads a CA's certificate, path and key, and proves with a trial leaf that every verifier would accept at `now` what
 * the key signs. Of several certificates for the key, and of several paths, the one that is good longest is taken.
 * Throws a CaError.
 */
export async function readCaPair(material: CaMaterial, now: Date): Promise<CaPair> {
  return (await readCa(material, now)).pair;
}

/** A pair, and until when reading the same material from now on would bring the same. */
export interface CaReading {
  readonly pair: CaPair;
  readonly holdsUntil: Date;
}

/** See readCaPair. A trial leaf whose signature takes long is signed `aside`. */
export async function readCa(material: CaMaterial, now: Date, aside: Aside = (work) => work()): Promise<CaReading> {
  const { place } = material;
  const { key, pem } = refused(() => readKey(material.key, `${place}, key tls.key`));
  const { path, holdsUntil } = await readCaPath(material, now, async (given, store) => {
    const signers = signersOf(key, given, store);
    if (signers.length > 0) return { signers, signer: signingAside(caSigner(key, pem), aside) };
    throw new CaError(
      'KeyMismatch',
      `${place}, key tls.key: this is not the key of ${given.map(nameOf).join(' or ')} in tls.crt; put the key and the certificate of one CA into the Secret`,
    );
  });
  return { pair: { ...path, signer: caSigner(key, pem) }, holdsUntil };
}

/** The certificates of a key, of which there is one at least, and what signs with it. */
export interface KeyHolder {
  readonly signers: readonly CertificateView[];
  readonly signer: Signer;
}

/**
 * Reads the certificates of a CA whose key is elsewhere: `find` says which of them are those of the key. See readCaPair.
 * Throws a CaError, and what `find` and the signer throw.
 */
export async function readCaPath(
  material: CaCertificates,
  now: Date,
  find: (given: readonly CertificateView[], store: CertificateStore) => Promise<KeyHolder>,
): Promise<{ readonly path: CaPath; readonly holdsUntil: Date }> {
  const { place, partialChain = false } = material;
  const blocks = refused(() =>
    readCertificateBlocks(material.certificates, `${place}, key tls.crt`, { most: MOST_CERTIFICATES }),
  );
  const given = blocks.map((block) => parsed(block, place));
  const { ders, problem } = rootsOf(material);
  const store = new CertificateStore(given, ders);
  const { signers, signer } = await find(given, store);
  const trial = (path: Path) => refusalOfTrial(caPath(path), signer, place, now);
  const chain = await chooseChain(signers, store, { place, given, partialChain, now, unreadRoots: problem, trial });
  const path = caPath(chain, restOf(chain, given, { store, problem }, now));
  return { path, holdsUntil: nextMoment([...given, ...store.seen], now) };
}

/** The last second of a CA signs nothing; see refusalOfTrial. */
const MARGIN_MS = 1_000;

/** The next moment at which one of them begins or ends: what was read depends on the time by nothing else. */
function nextMoment(certificates: readonly CertificateView[], now: Date): Date {
  const moments = certificates
    .flatMap(({ notBefore, notAfter }) => [notBefore.getTime(), notAfter.getTime()])
    .filter((each) => each >= now.getTime());
  return new Date(Math.min(...moments) - MARGIN_MS);
}

/** The certificates for the key, each once. */
function signersOf(
  key: PrivateKey,
  given: readonly CertificateView[],
  store: CertificateStore,
): readonly CertificateView[] {
  const found = store.holding(publicKeyDer(key));
  // The same key may be written in another encoding, and to compare those takes a hundred times as long.
  if (found.length === 0)
    return given.slice(0, MOST_COMPARED).filter(({ publicKeyDer: spki }) => keyMatches(spki, key));
  return distinct(found);
}

/** What ca.crt holds; where tls.crt leads to a root by itself, it isn't needed, whatever is wrong with it. */
function rootsOf({ roots, place }: CaCertificates): { ders: readonly Buffer[]; problem: string | undefined } {
  if (roots === undefined || roots.length === 0) return { ders: [], problem: undefined };
  try {
    const limits = { maxBytes: MAX_ROOTS_BYTES, most: MOST_ROOTS };
    return {
      ders: readCertificateBlocks(roots, `${place}, key ca.crt`, limits).map(({ der }) => der),
      problem: undefined,
    };
  } catch (error) {
    if (error instanceof MaterialError) return { ders: [], problem: error.message };
    throw error;
  }
}

function parsed(block: CertificateBlock, place: string): CertificateView {
  const refusal = (message: string) => new CaError('UnreadableCertificate', `${message}; take it from the CA again`);
  return parseBlock(block, `${place}, key tls.crt`, refusal);
}

function refused<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MaterialError) throw new CaError(error.flaw, error.message);
    throw error;
  }
}
