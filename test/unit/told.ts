import * as assert from 'uvu/assert';

/** All that was said where people read it: log lines, events, statuses, errors, labels of metrics. */
export class Told {
  readonly #texts: string[] = [];
  readonly #keys = new Set<string>();

  say(...parts: readonly unknown[]): void {
    this.#texts.push(parts.map((part) => textOf(part)).join(' '));
  }

  /** A private key in PEM, which must not be in any of it. */
  keep(privateKey: string): void {
    this.#keys.add(privateKey);
  }

  /** Throws where a private key, or a good part of one, was said. */
  assertNoKey(): void {
    const all = this.#texts.join('\n');
    assert.not.match(all, 'PRIVATE KEY');
    for (const pem of this.#keys)
      for (const part of partsOf(pem)) assert.not.ok(all.includes(part), `it was said: ${part}`);
  }

  includes(text: string): boolean {
    return this.#texts.some((each) => each.includes(text));
  }
}

/** Each line of the PEM, the bytes in hex, and what Secrets make of the PEM. */
function partsOf(pem: string): string[] {
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const bytes = Buffer.from(lines.join(''), 'base64');
  return [...lines.map((line) => line.slice(0, 40)), bytes.toString('hex'), Buffer.from(pem).toString('base64')];
}

function textOf(part: unknown): string {
  if (part instanceof Error) return `${part.name} ${part.message} ${part.stack} ${textOf(part.cause ?? '')}`;
  return typeof part === 'string' ? part : JSON.stringify(part);
}
