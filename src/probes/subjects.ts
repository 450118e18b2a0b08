import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { Audit } from '../audit/event.ts';
import type { Backend } from '../backends/backend.ts';
import type { Clock } from '../clock.ts';
import { DeniedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Aside, signingAside } from '../pki/signer.ts';
import { type Generation, holdsKey, type KeyedGeneration } from '../rotation/generation.ts';
import {
  makeProbeLeaf,
  makeRogueLeaf,
  type ProbeIdentity,
  type ProbeLeaf,
  type ProbeSigning,
  probeSubject,
  requestProbeLeaf,
} from './leaves.ts';
import type { Subject } from './round.ts';

interface Shown {
  readonly madeAt: Date;
  /** See Subject. */
  readonly withoutLeaf?: string | undefined;
  readonly leaf: ProbeLeaf | undefined;
  readonly rogue: ProbeLeaf | undefined;
}

/** One that lasts less is made anew: a verifier's clock may be ahead, and a round takes a minute. */
const LEAST_LEFT_MS = 4 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  readonly metrics: { signed(authority: string): void };
}

/** By what certificates of a generation are signed. */
export interface Signing {
  /** The backend, where another machine holds the keys of its CAs. */
  readonly backend: Pick<Backend, 'signProbe'>;
  /** See Aside. */
  readonly aside: Aside;
  readonly signal: AbortSignal;
}

/** Whether a certificate of the generation can be had before it signs any other. */
export function canBeShown(generation: Generation, backend: Pick<Backend, 'signProbe'>): boolean {
  return holdsKey(generation) || (generation.issuerRef !== undefined && backend.signProbe !== undefined);
}

/**
 * The certificates that are shown to verifiers, for each CA generation. They are in memory alone and used for a few minutes.
 * Each signature is in the log with its serial number, and in a metric. The ledger doesn't list them: they end before a
 * revocation of theirs would be read anywhere, and a list that changes every few minutes would cost writes for ever.
 */
export class ProbeSubjects {
  readonly #deps: Deps;
  /** By verifier, then by fingerprint of the CA certificate. */
  readonly #shown = new Map<string, ReadonlyMap<string, Shown>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Throws what the backend throws, but for a refusal: such a CA is one without a certificate to be shown. */
  async of(
    key: string,
    resource: CertificateAuthority,
    verifier: string,
    generations: readonly Generation[],
    signing: Signing,
  ): Promise<Subject[]> {
    const former = this.#shown.get(key);
    const shown = new Map<string, Shown>();
    const subjects: Subject[] = [];
    for (const generation of generations) {
      const { path, version } = generation;
      const known = former?.get(path.id);
      const certificates = this.#isFresh(known) ? known : await this.#make(resource, verifier, generation, signing);
      shown.set(path.id, certificates);
      subjects.push({
        version,
        fingerprint: path.certificate.fingerprintSHA256,
        anchor: path.anchor.fingerprintSHA256,
        name: path.certificate.subjectText,
        issuerNames: path.chain.map(({ subjectDer }) => subjectDer),
        ...certificates,
      });
    }
    this.#shown.set(key, shown);
    return subjects;
  }

  forget(key: string): void {
    this.#shown.delete(key);
  }

  #isFresh(shown: Shown | undefined): shown is Shown {
    // What was refused is asked for again with each round.
    const { leaf, rogue, madeAt } = shown ?? {};
    const now = this.#deps.clock.now();
    // By a clock that was ahead, and verifiers refuse them until then.
    if (madeAt !== undefined && madeAt > now) return false;
    const leastEnd = now.getTime() + LEAST_LEFT_MS;
    return [leaf, rogue].every((each) => each !== undefined && each.notAfter.getTime() > leastEnd);
  }

  async #make(
    resource: CertificateAuthority,
    verifier: string,
    generation: Generation,
    signing: Signing,
  ): Promise<Shown> {
    const identity: ProbeIdentity = { namespace: resource.namespace, authority: resource.name, verifier };
    const madeAt = this.#deps.clock.now();
    const rogue = await makeRogueLeaf(generation, identity, madeAt);
    try {
      const leaf = holdsKey(generation)
        ? await this.#sign(resource, identity, generation, signing.aside)
        : await this.#request(resource, identity, generation, signing);
      return { madeAt, leaf, rogue };
    } catch (error) {
      if (!(error instanceof DeniedError)) throw error;
      return { madeAt, leaf: undefined, rogue: undefined, withoutLeaf: error.message };
    }
  }

  #sign(
    resource: CertificateAuthority,
    identity: ProbeIdentity,
    generation: KeyedGeneration,
    aside: Aside,
  ): Promise<ProbeLeaf | undefined> {
    const signer = { ...generation.signer, ...signingAside(generation.signer, aside) };
    return makeProbeLeaf({ ...generation, signer }, identity, this.#deps.clock.now(), (signing) =>
      this.#note(resource, identity, generation, signing),
    );
  }

  async #request(
    resource: CertificateAuthority,
    identity: ProbeIdentity,
    generation: Generation,
    { backend, signal }: Signing,
  ): Promise<ProbeLeaf | undefined> {
    const { issuerRef } = generation;
    if (issuerRef === undefined) return undefined;
    return requestProbeLeaf(async (csr, lifetimeMs) => {
      const chain = (await backend.signProbe?.({ issuerRef, csr, lifetimeMs }, signal)) ?? [];
      const [leaf] = chain;
      if (leaf !== undefined) this.#note(resource, identity, generation, { ...leaf, keyPin: leaf.publicKeyPin });
      return chain;
    }, identity);
  }

  #note(resource: CertificateAuthority, identity: ProbeIdentity, generation: Generation, signing: ProbeSigning): void {
    const { log, metrics, audit } = this.#deps;
    const { verifier } = identity;
    const { version, path } = generation;
    const { serialNumber: serial, keyPin, notBefore, notAfter } = signing;
    const authority = authorityKey(resource);
    log.info('signing', { authority, generation: version, serial, probe: verifier });
    audit?.write({
      event: 'probeSigned',
      ...{ authority, uid: resource.uid, verifier, serial, keyPin, notBefore, notAfter, generation: version },
      issuer: path.certificate.fingerprintSHA256,
      names: probeSubject(identity),
    });
    metrics.signed(authority);
  }
}
