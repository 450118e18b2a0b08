/** Fakes of the API server and of one CA that revokes: real ones can't be made to fail between any two lines. */
import {
  type CertificateAuthority,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../../src/api/certificate-authority.ts';
import type { CRLStatus } from '../../src/api/generated/types.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { RevocationReason } from '../../src/api/revocation.ts';
import type { Runtime } from '../../src/authority/runtime.ts';
import type { LedgerEntry } from '../../src/certificate/secret/ledger.ts';
import { ApiError } from '../../src/errors.ts';
import { REGISTER_SECRET, readRegisterSecret } from '../../src/revocation/register-secret.ts';
import { Revocations } from '../../src/revocation/revocations.ts';
import type { Issued } from '../../src/revocation/search.ts';
import type { RevocationFindings } from '../../src/revocation/status.ts';
import { after, DAY, NOW, RUN, SECOND } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { Journal } from './journal.ts';
import { SILENT } from './own-authority.ts';

export const KEY = 'CertificateAuthority/ns/ca';
export const ISSUER = 'ab'.repeat(32);

export interface Wanted extends LedgerEntry {
  readonly reason: RevocationReason;
}

/** What one certificate is wanted to be revoked for. Each has a ClientCertificate of its own. */
export function wanted(serialNumber: string, reason: RevocationReason = 'unspecified'): Wanted {
  return { serialNumber, reason, notAfter: after(400 * DAY), issuerFingerprint: ISSUER };
}

const ownerOf = (serialNumber: string) => `team/c${serialNumber}`;

/** How the CA revokes: by a request, by a CRL that Certwheel signs, or not at all. */
export type By = 'request' | 'crl' | 'nothing';

/** One authority with its register, what is wanted of it, and the replicas that work on it. */
export class RevocationWorld {
  readonly clock = new FakeClock(NOW);
  readonly journal = new Journal();
  /** What the CA has revoked. */
  readonly revoked = new Map<string, RevocationReason>();
  /** By serial number: what its ClientCertificate asks to revoke. */
  readonly wishes = new Map<string, Wanted>();
  readonly issued = new Map<string, Issued>();
  /** What the processes have said, by `noted` or `revoked` and a serial number, and how often. */
  readonly told = new Map<string, number>();
  /** What is published, for the status of the authority. */
  crls: CRLStatus[] = [];
  /** Uids of authorities whose CRLs were removed. */
  readonly withdrawn: string[] = [];
  secret: RawObject | undefined;
  writes = 0;
  requests = 0;
  readonly runtime: Runtime;
  resource: CertificateAuthority;
  replicas: readonly Replica[];
  #version = 1;

  constructor({ by = 'request', replicas = 1 }: { by?: By; replicas?: number } = {}) {
    this.resource = this.#parsed({});
    const revoke = ({ serialNumber }: { serialNumber: string }, reason: RevocationReason) =>
      this.journal.effect('revoke', () => {
        this.requests++;
        this.revoked.set(serialNumber, reason);
      });
    const backend = { ...(by === 'request' && { revoke }), ...(by === 'crl' && { keyPair: {} }) };
    const breaker = { trouble: undefined };
    this.runtime = { backend, breaker, generations: [], definition: { type: 'stepCA' } } as unknown as Runtime;
    this.replicas = Array.from({ length: replicas }, () => new Replica(this));
  }

  /** `spec.revocation` of the authority. */
  specify(revocation: object): void {
    this.resource = this.#parsed(revocation);
  }

  want(...all: readonly Wanted[]): void {
    for (const each of all) {
      this.wishes.set(each.serialNumber, each);
      for (const replica of this.replicas) replica.woken.add(ownerOf(each.serialNumber));
    }
  }

  /** All processes end, and others begin: each ClientCertificate is reconciled. */
  restart(): void {
    this.journal.revive();
    this.replicas = this.replicas.map(() => new Replica(this));
    for (const serial of this.wishes.keys()) for (const replica of this.replicas) replica.woken.add(ownerOf(serial));
  }

  tell(what: string): void {
    // A process that is dead says nothing.
    if (!this.journal.isDead) this.told.set(what, (this.told.get(what) ?? 0) + 1);
  }

  read(): RawObject | undefined {
    return structuredClone(this.secret);
  }

  /** The preconditions of server-side apply. */
  apply(manifest: RawObject): RawObject {
    const { uid, resourceVersion } = this.secret?.metadata ?? { uid: undefined, resourceVersion: '1' };
    if (manifest.metadata?.resourceVersion !== resourceVersion || manifest.metadata?.uid !== uid)
      throw new ApiError(409, 'Conflict', 'the object has been modified', { resource: 'secrets' });
    this.writes++;
    const metadata = {
      ...manifest.metadata,
      uid: uid ?? `uid-${++this.#version}`,
      resourceVersion: `${++this.#version}`,
    };
    this.secret = { ...structuredClone(manifest), metadata };
    return structuredClone(this.secret);
  }

  /** The serial numbers that the stored register lists, with what is done. */
  registered(): Record<string, string> {
    const register = this.secret === undefined ? new Map() : readRegisterSecret(this.secret);
    return Object.fromEntries([...register].map(([serial, { revokedAt }]) => [serial, revokedAt ? 'done' : 'owed']));
  }

  /** Goes on until no replica has anything to do; throws where that takes too long. */
  async settle(): Promise<void> {
    for (let round = 0; round < 400; round++) {
      for (const replica of this.replicas) await replica.turn();
      const moments = this.replicas.flatMap(({ nextAt }) => nextAt ?? []);
      if (moments.length === 0 && this.replicas.every(({ woken }) => woken.size === 0)) return;
      const inMs = Math.min(...moments.map((each) => each.getTime() - this.clock.now().getTime()));
      await this.clock.advance(Math.max(1, Number.isFinite(inMs) ? inMs : 1));
    }
    throw new Error(`it never comes to rest: ${JSON.stringify(this.replicas[0]?.findings)}`);
  }

  #parsed(revocation: object): CertificateAuthority {
    const parsed = parseCertificateAuthority('CertificateAuthority', {
      metadata: { namespace: 'ns', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 1 },
      spec: { secret: { name: 'pair' }, revocation },
    });
    if (isBrokenAuthority(parsed)) throw new Error(parsed.problem);
    return parsed;
  }
}

/** One process. */
export class Replica {
  /** The ClientCertificates that are to be reconciled. */
  readonly woken = new Set<string>();
  reconciles = 0;
  /** How often all certificates of the authority were to be reconciled. */
  membersWoken = 0;
  findings: RevocationFindings | undefined;
  /** When the authority is to be reconciled next. */
  nextAt: Date | undefined;
  readonly revocations: Revocations;
  readonly #world: RevocationWorld;

  constructor(world: RevocationWorld) {
    const { clock, journal } = world;
    this.#world = world;
    this.nextAt = clock.now();
    this.revocations = new Revocations({
      clock,
      log: SILENT,
      ownership: { assert: () => journal.step('leading') },
      assertActive: () => journal.step('leading'),
      namespaceOf: () => 'ns',
      read: (_namespace, name) => {
        if (name !== REGISTER_SECRET.nameOf(world.resource)) throw new Error(`no Secret ${name}`);
        return journal.read('read', () => world.read());
      },
      apply: (manifest) => journal.effect('write', () => world.apply(manifest as RawObject)),
      issued: () => journal.read('ledgers', () => world.issued),
      crls: {
        withdraw: (uid) => journal.effect('withdraw', () => void world.withdrawn.push(uid)),
        leave: () => {},
        // As Crls does, it never throws.
        look: async (_resource, _runtime, revokedBy) => {
          const all = revokedBy(ISSUER);
          const fresh = all.filter(({ serialNumber }) => !world.revoked.has(serialNumber));
          let recheckAt: Date | undefined;
          try {
            if (fresh.length > 0)
              await journal.effect('crl', () => {
                for (const { serialNumber, reason } of fresh) world.revoked.set(serialNumber, reason);
              });
          } catch {
            recheckAt = clock.in(30 * SECOND);
          }
          return { crls: world.crls, problems: [], listed: new Set(world.revoked.keys()), recheckAt };
        },
      },
      wakeAuthority: (_key, at) => this.#wake(at),
      wakeCertificate: (owner) => void this.woken.add(owner),
      wakeMembers: () => void this.membersWoken++,
      noted: (_resource, { serialNumber }) => world.tell(`noted ${serialNumber}`),
      revoked: (_resource, { serialNumber }) => world.tell(`revoked ${serialNumber}`),
      refused: () => {},
    });
  }

  /** Reconciles the ClientCertificates that were woken, and the authority. */
  async turn(): Promise<void> {
    this.reconcileCertificates();
    await this.look();
    this.reconcileCertificates();
  }

  reconcileCertificates(): void {
    const { wishes, clock } = this.#world;
    const owners = [...this.woken];
    this.woken.clear();
    for (const owner of owners) {
      this.reconciles++;
      const wish = wishes.get(owner.slice('team/c'.length));
      if (wish !== undefined && wish.notAfter > clock.now()) this.revocations.ask(KEY, owner, [wish]);
    }
  }

  async look(): Promise<void> {
    const { resource, runtime } = this.#world;
    this.nextAt = undefined;
    this.findings = await this.revocations.look(resource, runtime, RUN);
    const { recheckAt } = this.findings;
    if (recheckAt !== undefined) this.#wake(recheckAt);
  }

  #wake(at: Date): void {
    if (this.nextAt === undefined || at < this.nextAt) this.nextAt = at;
  }
}
