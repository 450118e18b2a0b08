import { type KeyObject, randomBytes } from 'node:crypto';
import { validity } from '../backends/shared/own-ca.ts';
import { type CertificateView, parseCertificate } from '../pki/certificate.ts';
import { withoutRoot } from '../pki/chain.ts';
import { policiesToCopy } from '../pki/constraints/constraints.ts';
import { makeCsr } from '../pki/csr.ts';
import { newSerialNumber, signLeaf } from '../pki/issue.ts';
import { encodePrivateKey, generateKey, publicKeyDer, publicKeyPin } from '../pki/keys.ts';
import type { Subject } from '../pki/name.ts';
import { rulesOf } from '../pki/path-rules.ts';
import { NO_NAMES } from '../pki/san.ts';
import { type Signer, signerOf } from '../pki/signer.ts';
import type { Generation, KeyedGeneration } from '../rotation/generation.ts';
import type { Credentials } from './answer.ts';

/** Whose probe it is. An empty namespace is that of a ClusterCertificateAuthority. */
export interface ProbeIdentity {
  readonly namespace: string;
  readonly authority: string;
  readonly verifier: string;
}

/** A certificate that is shown to verifiers. It is kept in memory alone. */
export interface ProbeLeaf extends Credentials {
  readonly notAfter: Date;
}

/** What is about to be signed. */
export interface ProbeSigning {
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** See publicKeyPin. */
  readonly keyPin: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const PROBE_LIFE_MS = 10 * 60_000;
/** A CA that ends sooner has nothing to prove any more. */
const LEAST_LIFE_MS = 30_000;
const KEY = { algorithm: 'ECDSA', size: 256 } as const;
const USAGES = ['digital signature', 'client auth'] as const;

/**
 * The name of a probe, which no policy of a verifier should give any right. It is in the subject alone: CAs whose name
 * constraints admit certain URIs or DNS names would forbid a SAN of ours.
 */
export function probeSubject({ namespace, authority, verifier }: ProbeIdentity): Subject {
  const units = ['certwheel-probe', namespace, authority, verifier].filter((unit) => unit !== '');
  return { organizationalUnits: units, commonName: 'certwheel-probe' };
}

/**
 * A client certificate of a CA generation. `onSign` is called before the signature exists, so
 * that none can exist that the log doesn't know of. Undefined where the CA ends too soon.
 */
export async function makeProbeLeaf(
  { path, signer }: KeyedGeneration,
  identity: ProbeIdentity,
  now: Date,
  onSign: (signing: ProbeSigning) => void,
): Promise<ProbeLeaf | undefined> {
  return makeLeaf(path, { certificate: path.certificate, signer }, identity, now, onSign);
}

/** The signer of the CA that no verifier may trust. One for the process: what it signs is worth nothing. */
let rogue: Promise<Signer> | undefined;

/**
 * The same, signed by a key that belongs to no CA: the names of issuer and chain are those of the real one, only the key
 * id and the signature aren't. A verifier that accepts it verifies nothing.
 */
export async function makeRogueLeaf(
  { path }: Pick<Generation, 'path'>,
  identity: ProbeIdentity,
  now: Date,
): Promise<ProbeLeaf | undefined> {
  rogue ??= generateKey(KEY).then(signerOf);
  const signer = await rogue;
  const certificate = { ...path.certificate, publicKeyDer: signer.publicKey, subjectKeyId: undefined };
  return makeLeaf(path, { certificate, signer }, identity, now, () => {});
}

/**
 * A client certificate of a CA whose key another machine holds; `sign` asks that machine. Of the subject it may keep the
 * common name alone.
 */
export async function requestProbeLeaf(
  sign: (csr: Buffer, lifetimeMs: number) => Promise<readonly CertificateView[]>,
  identity: ProbeIdentity,
): Promise<ProbeLeaf | undefined> {
  const key = await generateKey(KEY);
  const csr = makeCsr({ key, subject: probeSubject(identity), names: NO_NAMES, usages: USAGES });
  const chain = await sign(csr, PROBE_LIFE_MS);
  const [leaf] = chain;
  return leaf && credentials(chain, key, leaf.notAfter);
}

function credentials(chain: readonly CertificateView[], key: KeyObject, notAfter: Date): ProbeLeaf {
  return {
    certificate: withoutRoot(chain)
      .map(({ pem }) => pem)
      .join(''),
    key: encodePrivateKey(key, 'PKCS8'),
    notAfter,
  };
}

async function makeLeaf(
  path: KeyedGeneration['path'],
  ca: Parameters<typeof signLeaf>[0]['ca'],
  identity: ProbeIdentity,
  now: Date,
  onSign: (signing: ProbeSigning) => void,
): Promise<ProbeLeaf | undefined> {
  const life = validity(path, PROBE_LIFE_MS, now);
  if (life.notAfter.getTime() - now.getTime() < LEAST_LIFE_MS || life.notBefore > now) return undefined;
  const key = await generateKey(KEY);
  const serialNumber = newSerialNumber(randomBytes(16));
  const spki = publicKeyDer(key);
  onSign({ serialNumber: serialNumber.toString('hex'), keyPin: publicKeyPin(spki), ...life });
  const der = await signLeaf({
    ca,
    publicKeyDer: spki,
    subject: probeSubject(identity),
    names: NO_NAMES,
    usages: USAGES,
    policies: policiesToCopy(rulesOf(path.chain).constraints),
    serialNumber,
    ...life,
  });
  return credentials([parseCertificate(der), ...path.chain], key, life.notAfter);
}
