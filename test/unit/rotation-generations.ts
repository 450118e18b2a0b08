import type { CAGeneration } from '../../src/api/generated/types.ts';
import type { CaPair } from '../../src/pki/ca.ts';
import { afterMove, afterRollBack } from '../../src/rotation/after-step.ts';
import type { Generation } from '../../src/rotation/generation.ts';
import type { GenerationSecret } from '../../src/rotation/generation-secret.ts';
import type { Member, Step } from '../../src/rotation/plan-types.ts';
import { type Provenance, provenanceOf } from '../../src/rotation/provenance.ts';
import { nextVersion } from '../../src/rotation/steps.ts';
import { aGeneration, generationSecret } from './a-generation.ts';
import { foreignCa } from './rotation-cas.ts';

/** The Secrets of the CA generations of one authority, as the API server holds them, and the status that lists them. */
export class RotationGenerations {
  stored: GenerationSecret[] = [];
  /** The version of the Secret without a key that is left where the process ended between the two writes of a new one. */
  blank: number | undefined;
  /** The generations in the status of the authority. */
  reported: Pick<CAGeneration, 'version' | 'state' | 'fingerprintSHA256'>[] = [];
  /** Each state of each Secret, as backups have it. */
  readonly backups: GenerationSecret[] = [];
  /** The uids of the Secrets that the controller has made. */
  readonly made = new Set<string>();
  #uids = 0;

  observe(members: () => readonly Member[], now: Date): Promise<Provenance> {
    return provenanceOf(this.stored, { reported: this.reported, members }, now);
  }

  /** Writes what the step asks for. `endsEarly`: the process ends after the first write of a new Secret. */
  take(step: Step, seen: Provenance, wanted: CaPair | undefined, now: Date, endsEarly: boolean): void {
    switch (step.do) {
      case 'create': {
        const version = nextVersion({ status: { generations: this.reported } } as never, seen);
        // Two writes: the second one may never come.
        const isBlank = this.blank === version;
        this.blank = endsEarly ? version : undefined;
        if (wanted === undefined || (endsEarly && !isBlank)) return;
        const uid = `made-${++this.#uids}`;
        this.made.add(uid);
        const secret = { namespace: 'ns', name: `ca-ca-v${version}`, uid, resourceVersion: '1' };
        this.#store(aGeneration(version, step.state, wanted, { since: now, secret }), seen.generations);
        return;
      }
      case 'mark':
        this.#store(step.generation, seen.generations);
        return;
      case 'move':
        this.#store(afterMove(step, now), seen.generations);
        return;
      case 'note':
        this.#store(step.generation, seen.generations);
        return;
      case 'rollBack':
        this.#store(afterRollBack(step, now), seen.generations);
        return;
      case 'retire':
        this.stored = this.stored.filter(({ secret }) => secret.uid !== step.generation.secret.uid);
    }
  }

  /** Writes the status of the authority. */
  report(inUse: readonly Generation[]): void {
    const living = new Set(inUse.map(({ version }) => version));
    const retired = this.reported.filter(({ version }) => !living.has(version));
    const present = inUse.map(({ version, state, path }) => ({
      version,
      state,
      fingerprintSHA256: path.certificate.fingerprintSHA256,
    }));
    this.reported = [...present, ...retired.map((each) => ({ ...each, state: 'Retired' as const }))];
  }

  /** A backup brings a Secret again where there is none of its name, as it was but for its uid. */
  restore(which: number): void {
    const backup = this.backups[which % this.backups.length];
    if (backup !== undefined) this.#appear(backup, backup.version);
  }

  /** A replicator brings the Secret of an authority in another namespace, which carries the mark of that one. */
  copy(which: number, now: Date): void {
    const theirs = generationSecret(aGeneration(1, 'Active', foreignCa, { since: now }));
    this.#appear({ ...theirs, mark: { uids: ['theirs'], namespace: 'elsewhere' } }, 1 + (which % 6));
  }

  /** A CA without any mark appears, under any version. */
  plant(which: number, now: Date): void {
    this.#appear(generationSecret(aGeneration(1, 'Active', foreignCa, { since: now })), 1 + which);
  }

  /** A person deletes the Secrets that the status reports as foreign. */
  tidy(): void {
    this.stored = this.stored.filter(({ secret }) => this.made.has(secret.uid));
  }

  /** The annotations of a generation's Secret are lost: it counts as Retiring since its creation. */
  damage({ secret, ...rest }: Generation): void {
    const lost = {
      state: 'Retiring' as const,
      since: rest.created,
      mark: 'none' as const,
      preparedAt: undefined,
      gate: undefined,
      rejects: [],
    };
    const damaged = { ...rest, secret, ...lost };
    this.stored = this.stored.map((each) => (each.secret.uid === secret.uid ? generationSecret(damaged) : each));
  }

  #store(generation: Generation, inUse: readonly Generation[]): void {
    const { uid, namespace } = generation.secret;
    const mark = { uids: [uid, ...inUse.map(({ secret }) => secret.uid)], namespace };
    const kept = generationSecret({ ...generation, mark: 'whole' }, { mark });
    this.stored = [...this.stored.filter(({ secret }) => secret.uid !== uid), kept];
    this.backups.push(kept);
  }

  #appear(from: GenerationSecret, version: number): void {
    if (from.generation === undefined || this.stored.some((each) => each.version === version)) return;
    const secret = { ...from.secret, name: `ca-ca-v${version}`, uid: `outside-${++this.#uids}` };
    const generation = { ...from.generation, version, secret, mark: 'none' as const };
    this.stored.push(generationSecret(generation, { mark: from.mark }));
  }
}
