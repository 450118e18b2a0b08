import { createPrivateKey } from 'node:crypto';
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

  /** The form of a private key that was said; undefined where none was. */
  get leak(): string | undefined {
    // Without the line breaks of PEM, be they escaped or not.
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

/** The secret number of a key, as it would be read in hex, in a JWK, in PEM, and in the data of a Secret. */
function partsOf(pem: string): string[] {
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const bytes = Buffer.from(d, 'base64url');
  // Base64 has three forms of the same bytes, by where they begin; their ends depend on what stands beside them.
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
