import { authorityKey, type CertificateAuthority } from '../../api/certificate-authority.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import type { CRLStatus } from '../../api/generated/types.ts';
import { earliest } from '../../api/moments.ts';
import type { Audit } from '../../audit/event.ts';
import type { Runtime } from '../../authority/runtime.ts';
import type { Clock } from '../../clock.ts';
import { classify } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Ownership } from '../../ownership.ts';
import { signsAlike } from '../../pki/ca.ts';
import { maySignCrls } from '../../pki/crl.ts';
import type { CrlView } from '../../pki/read-crl.ts';
import type { Generation } from '../../rotation/generation.ts';
import { crlDue, listedNext, type Revoked } from './crl-due.ts';
import { placeKey } from './crl-maps.ts';
import type { KnownCrls } from './known-crls.ts';
import type { OcspKeys } from './ocsp-keys.ts';
import { type CrlMaps, higher, type PublishedCrl, publishCrl } from './publish-crl.ts';
import { type Known, PublishedCrls, READ_AGAIN_MS } from './published-crls.ts';
import { type SigningGeneration, signingGenerations } from './signing-generations.ts';

const TRY_AGAIN_MS = 30_000;

interface CrlsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  readonly maps: CrlMaps;
  readonly ocspKeys: Pick<OcspKeys, 'look' | 'withdraw'>;
  readonly known: KnownCrls;
}

export interface CrlFindings {
  /** For the status of the authority. */
  readonly crls: readonly CRLStatus[];
  /** Why a CA generation has no CRL, an old one, or no OCSP responder, as sentences. */
  readonly problems: readonly string[];
  /** Those of the given certificates (hex) that a published CRL lists. */
  readonly listed: ReadonlySet<string>;
  readonly recheckAt: Date | undefined;
}

interface Finding {
  /** Of the CA generation, where it is about one. */
  readonly version?: number;
  readonly crl?: CrlView | undefined;
  readonly row?: CRLStatus | undefined;
  readonly problem?: string;
  readonly at?: Date | undefined;
  readonly listed?: readonly string[];
}

const NOTHING: CrlFindings = { crls: [], problems: [], listed: new Set(), recheckAt: undefined };

type Keyed = Pick<Runtime, 'generations' | 'backend'>;

/** Signs and publishes the CRLs of authorities whose CA key Certwheel holds, one for each CA generation that verifiers trust. */
export class Crls {
  readonly #deps: CrlsDeps;
  readonly #published: PublishedCrls;

  constructor(deps: CrlsDeps) {
    this.#deps = deps;
    this.#published = new PublishedCrls(deps.maps);
  }

  /**
   * Signs what is due. `revoked` answers the certificates of a CA by its fingerprint (lower-case hex of the SHA-256); it keeps
   * those that have expired for one more CRL. Never throws: an authority works without its CRL.
   */
  async look(
    resource: CertificateAuthority,
    runtime: Keyed,
    revoked: (issuerFingerprint: string) => readonly Revoked[],
  ): Promise<CrlFindings> {
    const now = this.#deps.clock.now();
    try {
      return await this.#lookAtAll(resource, signingGenerations(runtime), revoked, now);
    } catch (error) {
      const recheckAt = new Date(now.getTime() + TRY_AGAIN_MS);
      const problem = this.#failed(resource, error);
      this.#deps.known.failed(resource, problem);
      return { ...NOTHING, crls: reportedCrls(resource), problems: [problem], recheckAt };
    }
  }

  /** The authority is gone: its CRLs and its keys for OCSP answers go too. Throws an ApiError. */
  async withdraw(uid: string): Promise<void> {
    const { maps, ocspKeys } = this.#deps;
    await ocspKeys.withdraw(uid);
    this.#published.forget(uid);
    this.#deps.known.forget(uid);
    for (const { metadata } of await maps.list(uid)) if (metadata?.name !== undefined) await maps.delete(metadata.name);
  }

  /** Another process publishes them. */
  leave(uid: string): void {
    this.#published.forget(uid);
    this.#deps.known.forget(uid);
  }

  async #lookAtAll(
    resource: CertificateAuthority,
    generations: readonly SigningGeneration[],
    revoked: (issuerFingerprint: string) => readonly Revoked[],
    now: Date,
  ): Promise<CrlFindings> {
    // Verifiers that have begun to ask for a CRL refuse everybody without it, so that one which was published goes on.
    const isWanted =
      resource.revocation.keepsCrl ||
      reportedCrls(resource).length > 0 ||
      generations.some(({ generation }) => revoked(fingerprintOf(generation)).length > 0);
    if (!isWanted || generations.length === 0) {
      if (this.#deps.known.stateOf(resource.uid) !== undefined) this.#keep(resource, []);
      return NOTHING;
    }
    const known = await this.#published.read(resource.uid, generations, now);
    const found: Finding[] = [];
    for (const each of generations) found.push(await this.#lookAt(each, generations, resource, known, revoked));
    this.#keep(resource, found);
    found.push(...(await this.#lookAtKeys(resource, generations)));
    return {
      crls: found.flatMap(({ row }) => row ?? []),
      problems: found.flatMap(({ problem }) => problem ?? []),
      listed: new Set(found.flatMap(({ listed = [] }) => listed)),
      recheckAt: earliest([new Date(known.readAt.getTime() + READ_AGAIN_MS), ...found.map(({ at }) => at)]),
    };
  }

  async #lookAt(
    { generation, signer }: SigningGeneration,
    all: readonly SigningGeneration[],
    resource: CertificateAuthority,
    known: Known,
    revoked: (issuerFingerprint: string) => readonly Revoked[],
  ): Promise<Finding> {
    const { clock, maps, ownership } = this.#deps;
    const { version, path } = generation;
    const { certificate } = path;
    if (!maySignCrls(certificate))
      return {
        version,
        problem: `CA generation ${version} may not sign a CRL: the key usage of its certificate lacks cRLSign; rotate to a CA with it`,
      };
    const place = { uid: resource.uid, version };
    const former = known.byPlace.get(placeKey(place));
    // One CRL is for all certificates of its CA, and a renewed CA certificate under the same key is the same CA to verifiers.
    const alike = all.filter((each) => signsAlike(each.generation.path.certificate, certificate));
    const entries = alike.flatMap((each) => revoked(fingerprintOf(each.generation)));
    const now = clock.now();
    const validityMs = resource.revocation.crlValidityMs;
    const due = crlDue(former?.crl, entries, now, validityMs);
    const findingOf = (published: PublishedCrl | undefined) => ({
      version,
      crl: published?.crl,
      row: published && rowOf(version, published),
      listed: entries
        .map(({ serialNumber }) => serialNumber)
        .filter((each) => published?.crl?.find(each) !== undefined),
    });
    if (due > now) return { ...findingOf(former), at: due };
    try {
      ownership.assert(authorityKey(resource));
      const numbers = alike.map(
        (each) => known.byPlace.get(placeKey({ ...place, version: each.generation.version }))?.number,
      );
      const next = {
        place,
        ca: { certificate, signer },
        revoked: listedNext(former?.crl, entries),
        former,
        formerNumber: numbers.reduce((one = 0n, other = 0n) => higher(one, other), undefined),
        now,
        validityMs,
      };
      const published = await publishCrl(next, maps);
      known.byPlace.set(placeKey(place), published);
      this.#note(resource, rowOf(version, published), fingerprintOf(generation));
      return { ...findingOf(published), at: crlDue(published.crl, entries, now, validityMs) };
    } catch (error) {
      // Another writer may have been first.
      this.#published.forget(resource.uid);
      return {
        ...findingOf(former),
        problem: `the CRL of CA generation ${version} could not be published: ${this.#failed(resource, error)}`,
        at: new Date(now.getTime() + TRY_AGAIN_MS),
      };
    }
  }

  #keep(resource: CertificateAuthority, found: readonly Finding[]): void {
    const of = <T>(read: (each: Finding) => T | undefined) =>
      new Map(
        found.flatMap((each) => {
          const value = read(each);
          return value === undefined || each.version === undefined ? [] : [[each.version, value] as const];
        }),
      );
    this.#deps.known.note(resource, {
      crls: of(({ crl }) => crl),
      problems: of(({ problem }) => problem),
      unread: undefined,
    });
  }

  #note(resource: CertificateAuthority, row: CRLStatus | undefined, issuer: string): void {
    if (row === undefined) return;
    this.#deps.audit?.write({
      event: 'crlSigned',
      ...{ authority: authorityKey(resource), uid: resource.uid, generation: row.generation, issuer },
      ...{ notBefore: new Date(row.thisUpdate), notAfter: new Date(row.nextUpdate) },
      detail: `number ${row.number}, ${row.entries} revoked`,
    });
  }

  /** The keys for OCSP answers, which leaves are sent to where the responder has a URL. */
  async #lookAtKeys(resource: CertificateAuthority, generations: readonly SigningGeneration[]): Promise<Finding[]> {
    const { clock, ocspKeys } = this.#deps;
    if (resource.revocation.url === undefined) return [];
    try {
      const { problems, recheckAt } = await ocspKeys.look(resource, generations);
      return [{ at: recheckAt }, ...problems.map((problem) => ({ problem }))];
    } catch (error) {
      const problem = `the keys for OCSP answers could not be renewed: ${this.#failed(resource, error)}`;
      return [{ problem, at: new Date(clock.now().getTime() + TRY_AGAIN_MS) }];
    }
  }

  #failed(resource: CertificateAuthority, error: unknown): string {
    const { code, message } = classify(error);
    this.#deps.log.warn('a CRL could not be published', { authority: authorityKey(resource), code, error: message });
    return code === 'Forbidden' ? `${message}; set responder.enabled in the values of the chart` : message;
  }
}

/** What is published goes on, and is alerted on before it ends, also while it can't be read. */
export function reportedCrls({ status }: CertificateAuthority): readonly CRLStatus[] {
  return status.revocation?.crls ?? [];
}

function fingerprintOf({ path }: Generation): string {
  return path.certificate.fingerprintSHA256;
}

function rowOf(generation: number, { crl, number }: PublishedCrl): CRLStatus | undefined {
  if (crl === undefined) return undefined;
  return {
    generation,
    number: String(number),
    thisUpdate: toRfc3339(crl.thisUpdate),
    nextUpdate: toRfc3339(crl.nextUpdate),
    entries: crl.size,
    bytes: crl.der.length,
  };
}
