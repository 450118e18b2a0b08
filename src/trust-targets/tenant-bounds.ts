import { LimitedLanes } from '../backends/http/limited-lanes.ts';
import type { Clock } from '../clock.ts';
import { AuthorityError, RetryableError } from '../errors.ts';
import type { CertificateView } from '../pki/certificate.ts';

/** Namespaces that read at the same time. An answer has 1 MiB at most. */
const AT_ONCE = 64;
/** The sources of all authorities that one namespace may have. */
const MOST_WAITING = 1_000;
/** Between two reads of one namespace: to parse the most costly bundle takes some 50 ms of the event loop. */
const APART_MS = 250;
/** The same for PEM texts, for each 100,000 bytes: that many hold a hundred certificates, and take about as long. */
const TEXT_BYTES = 100_000;
/** PEM of all bundles of one namespace; in memory each takes several times that. */
const MOST_BYTES = 2 * 1_048_576;

type Bundle = Pick<CertificateView, 'pem'>;

/** What the endpoints that the tenants of one namespace name may take from all others: time and memory. */
export class TenantBounds {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #lanes = new LimitedLanes(AT_ONCE, MOST_WAITING);
  /** Apart from those of endpoints, which may take ten seconds. */
  readonly #texts = new LimitedLanes(AT_ONCE, MOST_WAITING);
  /** By namespace and source, in bytes. */
  readonly #taken = new Map<string, Map<object, number>>();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** One read of a namespace after the other, with a pause. Throws a RetryableError where too many wait. */
  inTurn<Result>(namespace: string, read: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(this.#lanes, namespace, read, APART_MS);
  }

  /** The same for a PEM text of so many bytes that is to be parsed. */
  inTurnOfTexts<Result>(namespace: string, bytes: number, parse: () => Result): Promise<Result> {
    const apartMs = Math.ceil((APART_MS * bytes) / TEXT_BYTES);
    return this.#inTurn(this.#texts, namespace, async () => parse(), apartMs);
  }

  #inTurn<Result>(lanes: LimitedLanes, namespace: string, read: () => Promise<Result>, apartMs: number) {
    return new Promise<Result>((resolve, reject) => {
      const isTaken = lanes.enter(namespace, (done) => {
        const pause = () => void this.#clock.sleep(apartMs).finally(done);
        read().then(resolve, reject).finally(pause);
      });
      const message = `more than ${MOST_WAITING} sources of namespace ${namespace} wait to be read`;
      if (!isTaken) reject(new RetryableError('NamespaceFull', message));
    });
  }

  /** Notes that a source holds these certificates. Throws an AuthorityError where its namespace has no room for them. */
  admit(namespace: string, source: object, certificates: readonly Bundle[]): void {
    const others = this.#taken.get(namespace) ?? new Map<object, number>();
    const bytes = certificates.reduce((sum, { pem }) => sum + pem.length, 0);
    const all = [...others].reduce((sum, [each, more]) => (each === source ? sum : sum + more), bytes);
    if (all > MOST_BYTES)
      throw new AuthorityError(
        'NamespaceFull',
        `the bundles that the endpoints of namespace ${namespace} serve have more than ${MOST_BYTES / 1_048_576} MiB together; remove sources that are not needed`,
      );
    this.#taken.set(namespace, others.set(source, bytes));
  }

  release(namespace: string, source: object): void {
    const others = this.#taken.get(namespace);
    others?.delete(source);
    if (others?.size === 0) this.#taken.delete(namespace);
  }
}
