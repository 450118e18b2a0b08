/** A fake API server with the Secrets of CA generations and the preconditions of server-side apply. */
import { ApiError } from '../../src/errors.ts';
import type { Generation, NewGeneration } from '../../src/rotation/generation.ts';
import type { GenerationSecret } from '../../src/rotation/generation-secret.ts';
import { aGeneration, generationSecret } from './a-generation.ts';
import type { FakeClock } from './fake-clock.ts';
import type { Journal } from './journal.ts';

export class GenerationStore {
  /** Versions of Secrets without a key, left by a process that ended between its two writes. */
  readonly #blank = new Set<number>();
  readonly #stored = new Map<number, { readonly generation: Generation; readonly uids: readonly string[] }>();
  readonly #journal: Journal;
  readonly #clock: FakeClock;
  #uids = 0;
  #version = 100;

  constructor(journal: Journal, clock: FakeClock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  all(): readonly Generation[] {
    return [...this.#stored.values()].map(({ generation }) => generation);
  }

  /** As text: `v1 Active`. */
  states(): readonly string[] {
    return this.all().map(({ version, state }) => `v${version} ${state}`);
  }

  secrets(): readonly GenerationSecret[] {
    return [...this.#stored.values()].map(({ generation, uids }) =>
      generationSecret(generation, { mark: { uids, namespace: 'ns' } }),
    );
  }

  /** A Secret that another client made. */
  plant(generation: Generation, uids: readonly string[] = []): void {
    this.#stored.set(generation.version, { generation, uids });
  }

  /** Two writes: a blank Secret, whose uid comes in together with its key. */
  async create(made: NewGeneration, beside: readonly string[]): Promise<void> {
    const { version, state, path, signer, since, source } = made;
    if (!this.#blank.has(version))
      await this.#journal.effect(`blank v${version}`, () => {
        if (this.#stored.has(version)) throw conflict();
        this.#blank.add(version);
      });
    await this.#journal.effect(`create v${version} ${state}`, () => {
      this.#blank.delete(version);
      const secret = { namespace: 'ns', name: `ca-ca-v${version}`, uid: `made-${++this.#uids}` };
      const identified = { ...secret, resourceVersion: this.#nextVersion() };
      const created = this.#clock.now();
      const generation = aGeneration(
        version,
        state,
        { ...path, signer },
        { since, source, created, secret: identified },
      );
      this.plant(generation, [secret.uid, ...beside]);
    });
  }

  async write(generation: Generation, beside: readonly string[]): Promise<void> {
    const { version, state, secret } = generation;
    await this.#journal.effect(`write v${version} ${state}`, () => {
      const known = this.#stored.get(version)?.generation.secret;
      if (known?.uid !== secret.uid || known.resourceVersion !== secret.resourceVersion) throw conflict();
      const written = { ...generation, mark: 'whole' as const };
      this.plant({ ...written, secret: { ...secret, resourceVersion: this.#nextVersion() } }, beside);
    });
  }

  async delete({ version, secret }: Generation): Promise<void> {
    await this.#journal.effect(`delete v${version}`, () => {
      if (this.#stored.get(version)?.generation.secret.uid === secret.uid) this.#stored.delete(version);
    });
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }
}

function conflict(): ApiError {
  return new ApiError(409, 'Conflict', 'the object has been modified', { resource: 'secrets' });
}
