import type { Mounted } from './mounted.ts';

/** One certificate of the demo, as the table shows it. */
export interface CertificateStory {
  readonly name: string;
  mounted: Mounted | undefined;
  rotations: number;
  /** From the status of its ClientCertificate, together with the serial number that it speaks of. */
  renewal: { readonly serial: string; readonly at: Date } | undefined;
  /** Why it isn't ready, in the words of its status. */
  trouble: string | undefined;
}

/** A certificate that reached its Secret: the first, or the next. */
export interface Publication {
  readonly name: string;
  readonly at: Date;
  readonly serial: string;
  readonly goodForMs: number;
  readonly replaced: { readonly serial: string; readonly wasGoodForMs: number; readonly sameKey: boolean } | undefined;
}

/** All that has happened so far. Whoever shows something reads it from here. */
export class Story {
  readonly certificates: readonly CertificateStory[];
  readonly publications: Publication[] = [];
  readonly handshakes = { ok: 0, failed: 0 };
  readonly #reasons = new Map<string, string>();
  readonly #publicKeys = new Set<string>();
  readonly #used = new Set<string>();
  #firstAt: number | undefined;
  #lastFailure = '';
  #lastRefusal = '';

  constructor(names: readonly string[]) {
    this.certificates = names.map((name) => ({
      name,
      mounted: undefined,
      rotations: 0,
      renewal: undefined,
      trouble: undefined,
    }));
  }

  certificate(name: string): CertificateStory {
    const found = this.certificates.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no certificate ${name} in this demo`);
    return found;
  }

  /** Answers nothing where the Secret changed around a certificate that stayed. */
  mount(name: string, files: Mounted): Publication | undefined {
    this.#firstAt ??= performance.now();
    const certificate = this.certificate(name);
    const before = certificate.mounted;
    certificate.mounted = files;
    if (before?.serial === files.serial) return undefined;
    if (before !== undefined) certificate.rotations++;
    this.#publicKeys.add(files.publicKeyHash);
    const publication = {
      name,
      at: files.arrivedAt,
      serial: files.serial,
      goodForMs: remainingMs(files, files.arrivedAt),
      replaced: before && {
        serial: before.serial,
        wasGoodForMs: remainingMs(before, files.arrivedAt),
        sameKey: before.publicKeyHash === files.publicKeyHash,
      },
    };
    this.publications.push(publication);
    return publication;
  }

  /** Told by an event of the cluster, which may come before or after the Secret is seen. */
  learnReason(serial: string, reason: string): void {
    this.#reasons.set(serial, reason);
  }

  reasonOf(serial: string): string | undefined {
    return this.#reasons.get(serial);
  }

  shookHands(...serials: readonly string[]): void {
    this.handshakes.ok++;
    for (const serial of serials) this.#used.add(serial);
  }

  failedToShakeHands(name: string, error: Error): void {
    this.handshakes.failed++;
    this.#lastFailure = `${name}: ${error.message}`;
  }

  refusedByServer(reason: string): void {
    this.#lastRefusal = reason;
  }

  get lastFailure(): string {
    return this.#lastRefusal === '' ? this.#lastFailure : `${this.#lastFailure} (the server: ${this.#lastRefusal})`;
  }

  get isComplete(): boolean {
    return this.certificates.every(({ mounted }) => mounted !== undefined);
  }

  /** How often each certificate at least was rotated. */
  get rotations(): number {
    return Math.min(...this.certificates.map((each) => each.rotations));
  }

  get publicKeys(): number {
    return this.#publicKeys.size;
  }

  /** How many certificates were shown in a handshake that succeeded. */
  get used(): number {
    return this.publications.filter(({ serial }) => this.#used.has(serial)).length;
  }

  /** Since the first certificate: to have built the control plane first is no part of the story. */
  get elapsedMs(): number {
    return this.#firstAt === undefined ? 0 : performance.now() - this.#firstAt;
  }
}

export function remainingMs({ notAfter }: Mounted, now: Date): number {
  return notAfter.getTime() - now.getTime();
}
