import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import { type LedgerEntry, missingFrom, withoutListed } from '../certificate/secret/ledger.ts';
import { authorityKeyIn, authorityOf, isRecord, isView, type SecretKept } from '../certificate/secret/record.ts';
import type { Seal, Sealing } from '../certificate/secret/seal.ts';
import { provenView } from '../certificate/secret/view.ts';
import type { Clock } from '../clock.ts';
import { classify } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import { LEDGER_SECRET, mergeLedgers, readLedgerSecret } from './ledger-secret.ts';
import { UnwrittenLedger } from './unwritten-ledger.ts';

/** So long after the first Secret that is gone, the ledger is written: a namespace that ends takes many at once. */
const TOGETHER_MS = 5_000;
const TRY_AGAIN_MS = 30_000;

/** Another replica that writes a ledger may end before it has: so long this one could still do it in its place. */
const HELD_MS = 60_000;

/** An authority that is to be reconciled, and when. */
interface Due {
  readonly authority: string;
  readonly at: Date;
}

interface LedgersDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** Whether this replica writes the ledger of that authority; without it, all of them. */
  isOwned?(authority: string): boolean;
  /** Proves what the ledgers say; nothing is sealed without it. */
  readonly seal?: Seal;
  /**
   * Whether there is an authority of that key that may have issued what a namespace holds, by the root certificates above it, or
   * by the seal of the entry. A tenant may write what looks like a certificate of any authority. The root certificates take a
   * proof, so they are asked for only where they count.
   */
  mayHaveIssued(authority: string, namespace: string, proof: (() => readonly string[]) | 'sealed'): boolean;
  /** Where the Secrets of an authority are. */
  namespaceOf(resource: CertificateAuthority): string;
  /** The Secrets that name this authority, by their namespaces. */
  secretsOf(authority: string): ReadonlyMap<string, readonly SecretKept[]>;
  read(namespace: string, name: string): Promise<RawObject | undefined>;
  apply(manifest: ReturnType<typeof LEDGER_SECRET.manifest>): Promise<unknown>;
}

/**
 * Lists, beside their authority, the certificates that are still valid and that no Secret lists any more. A later
 * revocation has no other source. What a Secret said a user of its namespace may have forged, so each namespace has
 * a ledger of its own. Secrets that are deleted while no controller runs are missed.
 */
export class Ledgers {
  readonly #deps: LedgersDeps;
  /** By authority and namespace, what is not written yet. */
  readonly #unwritten = new Map<string, Map<string, UnwrittenLedger>>();
  /** By authority that another replica has: when something was noted last. */
  readonly #heldSince = new Map<string, Date>();

  constructor(deps: LedgersDeps) {
    this.#deps = deps;
  }

  /**
   * A Secret has changed: answers which authorities are to be reconciled, and when, since their ledgers have become longer by it.
   * What is sealed goes to the authority that issued it, such as the fallback of the one that the Secret names.
   */
  secretChanged(before: SecretKept | undefined, after: SecretKept | undefined): readonly Due[] {
    const former = before === undefined ? '' : ledgerOf(before);
    const authority = before && authorityOf(before);
    if (before === undefined || former === '' || authority === undefined || !('namespace' in before)) return [];
    // One that is another authority's now is read for that one alone.
    const present = after !== undefined && authorityOf(after) === authority ? ledgerOf(after) : '';
    if (former === present) return [];
    const { namespace } = before;
    const now = this.#deps.clock.now();
    this.#dropHeld(now);
    const missing = missingFrom(present, former, now, this.#sealing(namespace));
    if (missing.length === 0) return [];
    const issuerOf = ({ sealedFor }: LedgerEntry) =>
      sealedFor === undefined ? authority : authorityKeyIn(namespace, sealedFor);
    let proven: readonly string[] | undefined;
    const anchors = () => {
      proven ??= anchorsOf(before);
      return proven;
    };
    const credible = missing.filter((each) =>
      this.#deps.mayHaveIssued(issuerOf(each), namespace, each.sealedFor === undefined ? anchors : 'sealed'),
    );
    return [...Map.groupBy(credible, issuerOf)].map(([issuer, entries]) => {
      this.#note(issuer, namespace, entries, now);
      return { authority: issuer, at: new Date(now.getTime() + TOGETHER_MS) };
    });
  }

  #note(authority: string, namespace: string, entries: readonly LedgerEntry[], now: Date): void {
    const unwritten = this.#unwritten.get(authority) ?? new Map<string, UnwrittenLedger>();
    this.#unwritten.set(authority, unwritten);
    if (this.#deps.isOwned?.(authority) === false) this.#heldSince.set(authority, now);
    const ledger = unwritten.get(namespace) ?? new UnwrittenLedger(this.#sealing(namespace));
    unwritten.set(namespace, ledger);
    ledger.add(entries, now);
  }

  #dropHeld(now: Date): void {
    for (const [authority, since] of this.#heldSince) {
      const isOwned = this.#deps.isOwned?.(authority) !== false;
      const isOver = Math.abs(now.getTime() - since.getTime()) > HELD_MS;
      if (isOwned || isOver) this.#heldSince.delete(authority);
      if (isOver && !isOwned) this.#unwritten.delete(authority);
    }
  }

  /** Writes what is not written yet. Answers when to try again where that failed: an authority works without its ledger. */
  async write(resource: CertificateAuthority): Promise<Date | undefined> {
    const { clock, log, ownership } = this.#deps;
    const key = authorityKey(resource);
    const unwritten = this.#unwritten.get(key);
    if (unwritten === undefined) return undefined;
    const now = clock.now();
    const taken = new Map([...unwritten].map(([namespace, ledger]) => [namespace, ledger.textAt(now)]));
    try {
      ownership.assert(key);
      await this.#merge(resource, this.#unlisted(key, taken));
    } catch (error) {
      const { code, message } = classify(error);
      log.warn('the ledger of an authority could not be written', { authority: key, code, error: message });
      return new Date(clock.now().getTime() + TRY_AGAIN_MS);
    }
    for (const [namespace, text] of taken)
      if (unwritten.get(namespace)?.textAt(now) === text) unwritten.delete(namespace);
    if (unwritten.size === 0) this.#unwritten.delete(key);
    return undefined;
  }

  /** The authority is gone, and with it what could be revoked at it. */
  forget(key: string): void {
    this.#unwritten.delete(key);
  }

  /** A copy of a Secret, made by another controller, lists the same certificates: its deletion loses nothing. */
  #unlisted(authority: string, ledgers: ReadonlyMap<string, string>): Map<string, string> {
    const { clock, secretsOf } = this.#deps;
    const secrets = secretsOf(authority);
    const texts = [...ledgers].map(([namespace, text]): [string, string] => {
      const listed = (secrets.get(namespace) ?? []).map(ledgerOf);
      return [namespace, withoutListed(text, listed, clock.now(), this.#sealing(namespace))];
    });
    return new Map(texts.filter(([, text]) => text !== ''));
  }

  #sealing(namespace: string): Sealing | undefined {
    const { seal } = this.#deps;
    return seal && { seal, namespace };
  }

  async #merge(resource: CertificateAuthority, added: ReadonlyMap<string, string>): Promise<void> {
    const { clock, namespaceOf, read, apply } = this.#deps;
    const namespace = namespaceOf(resource);
    const name = LEDGER_SECRET.nameOf(resource);
    const current = await read(namespace, name);
    if (current !== undefined && !LEDGER_SECRET.isOf(current, resource))
      throw new Error(
        `Secret ${namespace}/${name} is to keep its ledger, and that Secret isn't Certwheel's; rename it`,
      );
    const former = current === undefined ? new Map<string, string>() : readLedgerSecret(current);
    const ledgers = mergeLedgers(former, added, clock.now(), this.#deps.seal);
    const isSame = ledgers.size === former.size && [...ledgers].every(([each, text]) => former.get(each) === text);
    if (!isSame) await apply(LEDGER_SECRET.manifest(resource, namespace, ledgers, current));
  }
}

function ledgerOf(kept: SecretKept): string {
  if (isView(kept)) return kept.owner === undefined ? '' : kept.memory.ledger;
  return isRecord(kept) ? kept.ledger : '';
}

/** The roots to which its certificate is proven to lead; none where it holds none. */
function anchorsOf(kept: SecretKept): readonly string[] {
  if (isView(kept)) return provenView(kept).certificate?.anchorFingerprints ?? [];
  return isRecord(kept) ? kept.anchorFingerprints : [];
}
