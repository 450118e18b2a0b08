import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { type Aside, signingAside } from '../pki/signer.ts';
import type { KeyedGeneration } from '../rotation/generation.ts';
import { makeProbeLeaf, makeRogueLeaf, type ProbeIdentity, type ProbeLeaf } from './leaves.ts';
import type { Subject } from './round.ts';

interface Shown {
  readonly leaf: ProbeLeaf | undefined;
  readonly rogue: ProbeLeaf | undefined;
}

/** One that lasts less is made anew: a verifier's clock may be ahead, and a round takes a minute. */
const LEAST_LEFT_MS = 4 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: { signed(authority: string): void };
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

  async of(
    key: string,
    resource: CertificateAuthority,
    verifier: string,
    generations: readonly KeyedGeneration[],
    aside: Aside,
  ): Promise<Subject[]> {
    const former = this.#shown.get(key);
    const shown = new Map<string, Shown>();
    const subjects: Subject[] = [];
    for (const generation of generations) {
      const { path, version } = generation;
      const known = former?.get(path.id);
      const certificates = this.#isFresh(known) ? known : await this.#make(resource, verifier, generation, aside);
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
    const { leaf, rogue } = shown ?? {};
    const leastEnd = this.#deps.clock.now().getTime() + LEAST_LEFT_MS;
    return [leaf, rogue].every((each) => each !== undefined && each.notAfter.getTime() > leastEnd);
  }

  async #make(
    resource: CertificateAuthority,
    verifier: string,
    generation: KeyedGeneration,
    aside: Aside,
  ): Promise<Shown> {
    const { clock, log, metrics } = this.#deps;
    const authority = authorityKey(resource);
    const identity: ProbeIdentity = { namespace: resource.namespace, authority: resource.name, verifier };
    const now = clock.now();
    const signer = signingAside(generation.signer, aside);
    const leaf = await makeProbeLeaf(
      { ...generation, signer: { ...generation.signer, ...signer } },
      identity,
      now,
      (serial) => {
        log.info('signing', { authority, generation: generation.version, serial, probe: verifier });
        metrics.signed(authority);
      },
    );
    return { leaf, rogue: await makeRogueLeaf(generation, identity, now) };
  }
}
