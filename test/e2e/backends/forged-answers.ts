import type { Forge } from '../../forgeries/forgery.ts';
import type { Honest } from '../../forgeries/forging.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import type { Place, Spec } from './subject.ts';

/** A place, and what a certificate of a name asks for there besides, or instead. */
export interface AskingPlace extends Place {
  certificate?(name: string): Spec;
}

/** What stands between an authority and the truth. */
export interface Stage {
  readonly world: Place['world'];
  readonly controller: ControllerProcess;
  readonly forged: ForgedAnswers;
  /** A new namespace with an authority `ca` that is Ready, and whose answers go by `lies`. */
  place(): Promise<AskingPlace>;
  /** Why the server itself didn't take the lie about this certificate, where it is one that can refuse. */
  refusal?(name: string): string | undefined;
  stop(): Promise<void>;
}

/** Which answers are lies, by the name of the ClientCertificate, which each request holds as `<name>.example.com`. */
export class ForgedAnswers {
  readonly #forges = new Map<string, { readonly forge: Forge; readonly heldSerial: string }>();
  readonly #truths = new Map<string, string[]>();

  /** The right chain (PEM), or what is answered in its place. */
  answer(csr: Buffer, honest: Omit<Honest, 'heldSerial'>): readonly unknown[] {
    const name = this.nameIn(csr);
    const lie = this.#forges.get(name);
    if (lie === undefined) {
      const chain = [honest.leaf.pem, honest.intermediate.pem];
      this.#truths.set(name, [...this.truthsFor(name), chain.join('')]);
      return chain;
    }
    return lie.forge({ ...honest, heldSerial: lie.heldSerial });
  }

  /** Whom a request is for. */
  nameIn(csr: Buffer): string {
    const [, name = ''] = /((?:held|fresh)-\d+)\.example\.com/.exec(csr.toString('latin1')) ?? [];
    return name;
  }

  /** The right chains that were answered. */
  truthsFor(name: string): readonly string[] {
    return this.#truths.get(name) ?? [];
  }

  tell(name: string, forge: Forge, heldSerial = ''): void {
    this.#forges.set(name, { forge, heldSerial });
  }

  /** Whether the truth is told about it. */
  isTold(name: string): boolean {
    return !this.#forges.has(name);
  }

  tellTheTruth(name: string): void {
    this.#forges.delete(name);
  }
}
