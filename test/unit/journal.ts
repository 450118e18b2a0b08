/** The tested process is dead: none of its effects happens any more. */
export class Killed extends Error {
  constructor() {
    super('the process was killed');
  }
}

interface Fault {
  readonly error: Error;
  /** Whether the effect happens and its answer alone is lost. */
  readonly isDone: boolean;
}

/**
 * The effects of a run, in order. An effect can be made to fail, before or after it happens, and the process can
 * be killed after any of them.
 */
export class Journal {
  readonly lines: string[] = [];
  /** The process dies once the journal has so many lines. */
  diesAfter = Number.POSITIVE_INFINITY;
  readonly #faults = new Map<string, Fault[]>();
  #isDead = false;

  get isDead(): boolean {
    return this.#isDead;
  }

  /** The next effects of that name fail with these errors, one each, and do not happen. */
  refuse(name: string, ...errors: readonly Error[]): void {
    this.#add(name, errors, false);
  }

  /** The next effects of that name happen, and their answers are these errors. */
  loseAnswer(name: string, ...errors: readonly Error[]): void {
    this.#add(name, errors, true);
  }

  /** Runs an effect, and writes one line when it ends. */
  async effect<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return this.#run(name, work, (line) => this.note(line));
  }

  /** Runs a read, which can fail too and writes no line. */
  async read<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return this.#run(name, work, () => {});
  }

  /** Runs a synchronous effect. */
  step(name: string): void {
    this.#assertAlive();
    const error = this.#faults.get(name)?.shift()?.error;
    this.note(error === undefined ? name : `${name} refused`);
    if (error !== undefined) throw error;
  }

  /** Writes the line of an effect that can't fail; throws where the process is dead or dies here. */
  note(line: string): void {
    this.#assertAlive();
    this.lines.push(line);
    this.#isDead = this.lines.length >= this.diesAfter;
    this.#assertAlive();
  }

  /** A new process takes over. */
  revive(): void {
    this.#isDead = false;
    this.diesAfter = Number.POSITIVE_INFINITY;
  }

  /** Nothing fails any more. */
  heal(): void {
    this.#faults.clear();
    this.revive();
  }

  /** How often that line was written. */
  count(line: string): number {
    return this.lines.filter((each) => each === line).length;
  }

  /** The lines since that many. */
  since(length: number): readonly string[] {
    return this.lines.slice(length);
  }

  async #run<T>(name: string, work: () => Promise<T> | T, write: (line: string) => void): Promise<T> {
    this.#assertAlive();
    const fault = this.#faults.get(name)?.shift();
    if (fault?.isDone === false) {
      write(`${name} refused`);
      throw fault.error;
    }
    const result = await work();
    write(name);
    if (fault !== undefined) throw fault.error;
    return result;
  }

  #add(name: string, errors: readonly Error[], isDone: boolean): void {
    const known = this.#faults.get(name) ?? [];
    this.#faults.set(name, [...known, ...errors.map((error) => ({ error, isDone }))]);
  }

  #assertAlive(): void {
    if (this.#isDead) throw new Killed();
  }
}
