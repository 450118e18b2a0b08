import { createPrivateKey } from 'node:crypto';
import * as assert from 'uvu/assert';

/** All output that people can read: log lines, events, statuses, errors, labels of metrics. */
export class Told {
  readonly #texts: string[] = [];
  readonly #keys = new Set<string>();

  say(...parts: readonly unknown[]): void {
    this.#texts.push(parts.map((part) => textOf(part)).join(' '));
  }

  /** Adds a private key in PEM that must not be in the output. */
  keep(privateKey: string): void {
    this.#keys.add(privateKey);
  }

  /** The form in which a private key is in the output; undefined where none is. */
  get leak(): string | undefined {
    // Without the line breaks of PEM, escaped or not.
    const all = this.#texts.join(' ').replace(/\\r|\\n|\r|\n/g, '');
    return ['PRIVATE KEY', ...[...this.#keys].flatMap(partsOf)].find((part) => all.includes(part));
  }

  assertNoKey(): void {
    assert.is(this.leak, undefined);
  }

  includes(text: string): boolean {
    return this.#texts.some((each) => each.includes(text));
  }
}

/** The private number of a key in each form: hex, JWK, PEM, and the data of a Secret. */
function partsOf(pem: string): string[] {
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const bytes = Buffer.from(d, 'base64url');
  // The base64 of the same bytes depends on their offset modulo three; its first and last characters depend on the bytes beside.
  const inner = [0, 1, 2].map((at) =>
    Buffer.concat([Buffer.alloc(at), bytes])
      .toString('base64')
      .slice(4, 36),
  );
  const secret = Buffer.from(pem).toString('base64');
  return [d, bytes.toString('hex'), ...inner, secret.slice(110, 150)];
}

function textOf(part: unknown): string {
  if (part instanceof Error) return `${part.name} ${part.message} ${part.stack} ${textOf(part.cause ?? '')}`;
  return typeof part === 'string' ? part : JSON.stringify(part);
}
