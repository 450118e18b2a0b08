import type { Issued, IssueRequest } from '../../src/backends/backend.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import { bundleOf } from '../../src/pki/bundle.ts';
import { caPath } from '../../src/pki/ca.ts';
import { type CertificateView, parseCertificates } from '../../src/pki/certificate.ts';
import { afterMove } from '../../src/rotation/after-step.ts';
import type { Generation } from '../../src/rotation/generation.ts';
import { planAnchors } from '../../src/rotation/plan-anchors.ts';
import type { Member, Step } from '../../src/rotation/plan-types.ts';
import { followedAnchors, leavingAnchors, trustedNow, usableAnchors } from '../../src/rotation/trusted.ts';
import type { Holder } from '../pki/make.ts';
import { aGeneration } from './a-generation.ts';
import { aCertificate, after, NOW, RUN, SECOND } from './builders.ts';
import { CertificateWorld, KEY } from './certificate-world.ts';
import { anOwnAuthority, SILENT } from './own-authority.ts';
import { PROPAGATION_MS, TERMS } from './planned-rotation.ts';

const SPEC = { duration: '20m' };
const TICK_S = 5;
/** One loads its Secret at once, another one as late as it may. */
const DELAYS_MS = [0, PROPAGATION_MS / 2, PROPAGATION_MS - TICK_S * SECOND];
/** A step of the rotation follows the other, and a write the other. */
const MOST_AT_ONCE = 20;

/** What a workload has loaded: the leaf that it shows, and the CAs that it accepts. */
interface Loaded {
  readonly leaf: string;
  readonly anchors: readonly string[];
  readonly accepts: ReadonlySet<string>;
  readonly end: Date;
  /** Whether it was published though its CA wasn't shown to be trusted, since the former one ended. */
  readonly isForced: boolean;
}

/**
 * A machine that decides by itself which of its CAs signs, with clients that accept each other. The plan, what is withheld, and
 * each reconcile of a certificate are the controller's own.
 */
export class AnchorsWorld {
  readonly members: readonly CertificateWorld[];
  /** What the machine states, and what it signs with. */
  stated: readonly Holder[];
  signer: Holder;
  now = NOW;
  generations: readonly Generation[] = [];
  /** Members that were suspended at some moment: their certificates may expire. */
  readonly suspended = new Set<CertificateWorld>();
  #versions = 0;
  readonly #loaded: (Loaded | undefined)[] = [];
  readonly #ahead: { readonly at: Date; readonly loaded: Loaded }[][] = [];

  constructor(first: Holder, count: number) {
    this.stated = [first];
    this.signer = first;
    this.members = Array.from({ length: count }, () => this.#member());
    for (let index = 0; index < count; index++) this.#ahead.push([]);
  }

  #member(): CertificateWorld {
    const world = new CertificateWorld(aCertificate(SPEC).raw, { remote: true });
    world.ca.answer = async (request: IssueRequest) => {
      const own = anOwnAuthority([this.signer], world.clock, undefined, SILENT);
      const { chain } = (await own.backend.issue(request, RUN.signal)) as Issued;
      return { chain };
    };
    return world;
  }

  suspend(which: number, suspend: boolean): void {
    const member = this.members[which % this.members.length];
    if (member === undefined) return;
    if (suspend) this.suspended.add(member);
    member.edit({ spec: aCertificate({ ...SPEC, suspend }).raw.spec });
  }

  /** A workload comes anew, without a former certificate, so that the first one is published at once. */
  renew(which: number): void {
    const index = which % this.members.length;
    const member = this.members[index];
    if (member === undefined) return;
    member.store.object = undefined;
    this.#loaded[index] = undefined;
    this.#ahead[index] = [];
  }

  /** Lets time go by; all is reconciled at each tick. */
  async pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += TICK_S) {
      this.now = after(TICK_S * SECOND, this.now);
      for (const each of this.members) await each.clock.advance(TICK_S * SECOND);
      await this.tick();
    }
  }

  async tick(): Promise<void> {
    this.#load();
    this.#check();
    for (let step = 0; step < MOST_AT_ONCE && this.#step(); step++);
    this.#checkTrust();
    const view = this.#view();
    for (const [index, each] of this.members.entries()) {
      each.authority = { ...each.ca.view, ...view };
      for (let run = 0; run < MOST_AT_ONCE; run++) {
        const outcome = await each.run();
        if (outcome instanceof Error || outcome.do !== 'again') break;
      }
      this.#publish(index, each);
    }
    this.#load();
    this.#check();
  }

  /** The machine signs with that CA from now on; `alone`: and states no other. */
  swap(to: Holder, alone: boolean): void {
    this.signer = to;
    this.stated = alone ? [to] : [to, ...this.stated.filter((each) => each !== to)];
  }

  /** What all hold leads to what is stated, and nothing else is trusted any more. */
  get isOver(): boolean {
    const stated = new Set(this.stated.map(({ certificate }) => certificate.fingerprintSHA256));
    return (
      this.generations.every(({ state, path }) => state === 'Active' && stated.has(path.anchor.fingerprintSHA256)) &&
      this.generations.length === stated.size &&
      this.#loaded.every((each) => each?.anchors.some((anchor) => stated.has(anchor)))
    );
  }

  #known() {
    const anchors = this.stated.map(({ certificate }) => certificate);
    const trusted = { anchors, intermediates: [] };
    return { backend: {}, definition: { type: 'stepCA' }, generations: this.generations, trusted, stated: [] };
  }

  #view(): Partial<AuthorityView> {
    const known = this.#known();
    const leaving = leavingAnchors(known);
    return {
      ...{ signing: undefined, issuers: [], generations: new Map(), leaving },
      trust: bundleOf(trustedNow(known)),
      usableAnchors: usableAnchors(known),
      followedAnchors: followedAnchors(known),
      released: new Set(leaving === undefined ? [] : [KEY]),
    };
  }

  /** One step of the rotation; false where none is to be taken. */
  #step(): boolean {
    const paths = this.stated.map(({ certificate }) => caPath([certificate]));
    const isKnown = (id: string) => this.generations.some(({ path }) => path.id === id);
    const candidate = paths.find(({ id }) => !isKnown(id));
    const { step } = planAnchors(
      {
        generations: this.generations,
        source: 'stepCA',
        stated: new Set(paths.map(({ id }) => id)),
        wanted: candidate?.id,
        members: this.members.flatMap((each, index) => memberOf(each, index)),
        trustBundleHash: bundleOf(trustedNow(this.#known())).hash,
        terms: TERMS,
        longestLifeMs: undefined,
        proofs: () => [],
      },
      this.now,
    );
    if (step.do === 'create' && candidate !== undefined) {
      const version = ++this.#versions;
      const made = aGeneration(version, step.state, candidate, { source: 'stepCA', since: this.now });
      this.generations = [...this.generations, made];
    } else this.generations = this.#after(step);
    return step.do !== 'settle';
  }

  #after(step: Step): readonly Generation[] {
    if (!('generation' in step)) return this.generations;
    const others = this.generations.filter(({ version }) => version !== step.generation.version);
    if (step.do === 'retire') return others;
    return [...others, step.do === 'move' ? afterMove(step, this.now) : step.generation];
  }

  /** What the Secret holds now reaches its workload after a delay. */
  #publish(index: number, world: CertificateWorld): void {
    const view = world.store.view();
    const { certificate } = view ?? {};
    if (certificate === undefined) return;
    const pem = Buffer.from(world.store.object?.data?.['ca.crt'] ?? '', 'base64').toString('latin1');
    const roots: readonly CertificateView[] = parseCertificates(pem, { most: 50 });
    const usable = usableAnchors(this.#known());
    const known = [this.#loaded[index], ...(this.#ahead[index] ?? []).map(({ loaded }) => loaded)].findLast(Boolean);
    const isSame = known?.leaf === certificate.serialNumber;
    const isForced = isSame
      ? known.isForced
      : usable !== undefined && !certificate.anchorFingerprints.some((each) => usable.has(each));
    const loaded = {
      leaf: certificate.serialNumber,
      anchors: certificate.anchorFingerprints,
      accepts: new Set(roots.map(({ fingerprintSHA256 }) => fingerprintSHA256)),
      end: certificate.notAfter,
      isForced,
    };
    if (isSame && [...loaded.accepts].join() === [...known.accepts].join()) return;
    this.#ahead[index]?.push({ at: after(DELAYS_MS[index % DELAYS_MS.length] ?? 0, this.now), loaded });
  }

  #load(): void {
    for (const [index, ahead] of this.#ahead.entries()) {
      this.#loaded[index] = ahead.findLast(({ at }) => at <= this.now)?.loaded ?? this.#loaded[index];
      this.#ahead[index] = ahead.filter(({ at }) => at > this.now);
    }
  }

  /** What a Secret holds is trusted as long as it is valid, also where it was published before its CA was Active. */
  #checkTrust(): void {
    const trusted = new Set(trustedNow(this.#known()).map(({ fingerprintSHA256 }) => fingerprintSHA256));
    for (const { store } of this.members) {
      const { certificate } = store.view() ?? {};
      if (certificate === undefined || certificate.notAfter <= this.now) continue;
      if (!certificate.anchorFingerprints.some((each) => trusted.has(each)))
        throw new Error(`${this.now.toISOString()}: a CA is trusted no more, and a valid certificate of it is held`);
    }
  }

  /** No workload refuses what another one shows, and none shows what has expired. */
  #check(): void {
    for (const verifier of this.#loaded)
      for (const [index, shown] of this.#loaded.entries()) {
        if (verifier === undefined || shown === undefined) continue;
        if (shown.end <= this.now && this.suspended.has(this.members[index] as CertificateWorld)) continue;
        if (shown.end <= this.now)
          throw new Error(`${this.now.toISOString()}: a workload shows an expired certificate`);
        if (!shown.isForced && !shown.anchors.some((each) => verifier.accepts.has(each)))
          throw new Error(`${this.now.toISOString()}: a workload refuses what another one shows`);
      }
  }
}

function memberOf(world: CertificateWorld, index: number): Member[] {
  const view = world.store.view();
  const { certificate } = view ?? {};
  if (view === undefined || certificate === undefined) return [];
  const { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter } = certificate;
  const { trustBundleHash } = view;
  const found = { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter, trustBundleHash };
  return [{ key: `team/client-${index}`, namespace: 'team', ...found }];
}
