import { randomBytes } from 'node:crypto';
import {
  type CertificateAuthority,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../../../src/api/certificate-authority.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import { ownCA } from '../../../src/backends/shared/own-ca.ts';
import { systemClock } from '../../../src/clock.ts';
import type { CaPair } from '../../../src/pki/ca.ts';
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { NO_NAMES } from '../../../src/pki/san.ts';
import type { Revoked } from '../../../src/revocation/crl/crl-due.ts';
import { KnownCrls } from '../../../src/revocation/crl/known-crls.ts';
import type { Generation } from '../../../src/rotation/generation.ts';
import { wireCrls } from '../../../src/wiring/crls.ts';
import { type Holder, P256, pairOf } from '../../pki/make.ts';
import { aGeneration } from '../../unit/a-generation.ts';
import type { World } from '../support/world.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const { signal } = new AbortController();

/** An authority that holds its CA key, in the namespace of its controller. */
export class CrlWorld {
  readonly #world: World;
  readonly namespace: string;
  readonly uid = `uid-${randomBytes(4).toString('hex')}`;
  readonly serialKey = randomBytes(32);
  /** How far the clock of the controller is ahead. */
  aheadMs = 0;
  generations: Generation[];
  revoked: Revoked[] = [];
  url = 'http://responder.test';
  readonly clock = { ...systemClock, now: () => new Date(Date.now() + this.aheadMs) };
  readonly crls: ReturnType<typeof wireCrls>;

  constructor(world: World, namespace: string, ca: Holder) {
    this.#world = world;
    this.namespace = namespace;
    this.generations = [aGeneration(1, 'Active', pairOf(ca))];
    this.crls = this.another();
  }

  /** What another replica has. */
  another(): ReturnType<typeof wireCrls> {
    const parts = {
      client: this.#world.client,
      clock: this.clock,
      log: QUIET,
      ownership: { assert() {} },
      config: { controllerNamespace: this.namespace },
      booksKey: { serialKey: () => this.serialKey },
    };
    return wireCrls(parts, new KnownCrls(() => {}));
  }

  get resource(): CertificateAuthority {
    const revocation = { url: this.url };
    const parsed = parseCertificateAuthority('CertificateAuthority', {
      metadata: { namespace: this.namespace, name: 'ca', uid: this.uid, resourceVersion: '1', generation: 1 },
      spec: { secret: { name: 'pair' }, revocation },
    });
    if (isBrokenAuthority(parsed)) throw new Error(parsed.problem);
    return parsed;
  }

  look(crls = this.crls) {
    const runtime = { generations: this.generations, backend: {} as Backend };
    const fingerprint = this.generations[0]?.path.certificate.fingerprintSHA256;
    return crls.look(this.resource, runtime, (issuer) => (issuer === fingerprint ? this.revoked : []));
  }

  /** A certificate as the authority issues it, with where its revocation is looked up. */
  async issue(): Promise<Holder> {
    const key = await generateKey(P256);
    const [generation] = this.generations;
    if (generation?.signer === undefined) throw new Error('no CA');
    const pair: CaPair = { ...generation.path, signer: generation.signer };
    const { issue } = ownCA({
      name: 'ns/ca',
      clock: systemClock,
      log: QUIET,
      signing: () => ({ version: generation.version, path: pair, signer: pair.signer }),
      trusted: () => [pair],
      revocation: { uid: this.uid, url: this.url, serialKey: () => this.serialKey },
    });
    const identity = {
      subject: { commonName: 'client' },
      names: NO_NAMES,
      usages: ['digital signature', 'client auth'],
    };
    const requester = { namespace: 'ns', name: 'client', uid: 'uid' };
    const asked = {
      id: 'id',
      requester,
      publicKey: publicKeyDer(key),
      csr: () => Buffer.alloc(0),
      identity,
      lifetimeMs: 360_000_000,
    };
    const { chain } = await issue(asked, signal);
    const [certificate] = chain;
    if (certificate === undefined) throw new Error('no certificate');
    return { certificate, key };
  }
}
