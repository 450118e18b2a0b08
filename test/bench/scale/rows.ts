import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Row {
  readonly phase: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
}

/** The figures of a run, printed and written to a file as each is measured: a crash late in the run loses none of them. */
export class Rows {
  readonly #path: string;
  readonly #facts: Record<string, unknown>;
  readonly #rows: Row[] = [];
  #phase = '';

  constructor(path: string, facts: Record<string, unknown>) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#facts = facts;
  }

  /** Runs a part of the bench; its time is a row too. */
  async phase<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#phase = name;
    const startedMs = performance.now();
    console.log(`${new Date().toISOString().slice(11, 19)} ${name}`);
    const result = await run();
    this.add('the whole phase', (performance.now() - startedMs) / 1_000, 's');
    return result;
  }

  add(figure: string, value: number, unit = ''): void {
    this.#rows.push({ phase: this.#phase, figure, value, unit });
    console.log(`  ${figure}: ${show(value)} ${unit}`.trimEnd());
    this.#write();
  }

  /** What is no figure, such as which requests were made. */
  note(name: string, value: unknown): void {
    this.#facts[name] = value;
    this.#write();
  }

  /** As in docs/performance.md. */
  table(): string {
    const lines = this.#rows.map(({ phase, figure, value, unit }) =>
      `| ${phase}: ${figure} | ${show(value)} ${unit}`.trimEnd(),
    );
    return ['| figure | measured |', '| --- | --- |', ...lines.map((line) => `${line} |`)].join('\n');
  }

  #write(): void {
    // Another name first: a crash in the middle of a write would lose what the file had.
    const unfinished = `${this.#path}.unfinished`;
    writeFileSync(unfinished, `${JSON.stringify({ ...this.#facts, rows: this.#rows }, undefined, 2)}\n`);
    renameSync(unfinished, this.#path);
  }
}

function show(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
