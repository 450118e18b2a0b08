import type { Resource } from '../../../src/api/names.ts';
import type { Backend, Capabilities } from '../../../src/backends/backend.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import type { World } from '../support/world.ts';
import type { Approver } from './approver.ts';
import type { Exchange, InterceptingProxy } from './intercepting-proxy.ts';

/** A kind of authority, as the conformance suite asks about it. */
export interface Subject {
  /** The key under `spec`. */
  readonly type: string;
  readonly capabilities: Capabilities;
  /** Whether the certificate of its server shows that it is the one that is meant, so that all of its answers are told. */
  readonly provenByCertificate?: boolean;
  /** What it is not asked, and why not. Whatever isn't in here is asked. */
  readonly exempt: Readonly<Partial<Record<Aspect, string>>>;
  /** Lives that the server grants as `capabilities.lifetime` says. */
  readonly lives: readonly string[];
  /** And what it refuses itself, with a part of the message. */
  readonly refusedLives: readonly { readonly duration: string; readonly says: string }[];
  /** Ways in which the configuration of the authority can be wrong. */
  readonly checks: readonly CheckRow[];
  /** Called once, by the first test that needs it. */
  start(world: Promise<World>): Promise<Served>;
}

/** Parts of the suite that not every kind of authority can be asked. */
export const ASPECTS = [
  'a connection that is spoilt, slow or busy',
  'credentials that are rotated under it',
  'a minute without what signs',
  'requests that are answered later',
  'revocation',
] as const;
export type Aspect = (typeof ASPECTS)[number];

/** Where Certwheel signs by itself. */
export const NOTHING_ELSEWHERE = {
  'a connection that is spoilt, slow or busy': 'nothing of it is elsewhere',
  'credentials that are rotated under it': 'it has none; another CA pair is a CA rotation, which has tests of its own',
  'a minute without what signs': 'Certwheel itself signs',
  'requests that are answered later': 'it answers at once',
  revocation: 'it has none yet',
} as const satisfies Subject['exempt'];

/** One step of `check()`, made to fail. */
export interface CheckRow {
  readonly step: string;
  readonly reason: ErrorCode;
  /** Part of the message of the authority's Ready condition. */
  readonly says: string;
  /** What stands under the backend's key in place of `good`; may change what `prepare` has put into the namespace. */
  spoil(good: Spec, where: Place): Spec | Promise<Spec>;
}

/** All that a CertificateAuthority says of a server that has not shown to be the one that is meant. */
export const CONCEALED = {
  reason: 'AuthorityUnreachable',
  says: "it can't be reached, is not trusted, or does not answer as one; the controller's log says why",
} as const satisfies Pick<CheckRow, 'reason' | 'says'>;

/** What can be wrong with the address of any server. */
export const ADDRESS_CHECKS: readonly CheckRow[] = [
  {
    step: 'the name is not resolved',
    reason: 'AuthorityUnreachable',
    says: "its name can't be resolved",
    spoil: (good) => ({ ...good, server: 'https://ca.invalid:9000' }),
  },
  {
    step: 'nothing listens',
    ...CONCEALED,
    spoil: (good) => ({ ...good, server: 'https://127.0.0.1:1' }),
  },
  {
    step: 'the address is link-local',
    reason: 'AuthorityMisconfigured',
    says: '169.254.169.254 is a link-local address',
    spoil: (good) => ({ ...good, server: 'https://169.254.169.254' }),
  },
];

// biome-ignore lint/suspicious/noExplicitAny: rows reach into the spec of their own backend, whatever it is
export type Spec = Record<string, any>;

export interface Place {
  readonly world: World;
  readonly namespace: string;
}

/** The subject with its real server, where it has one. */
export interface Served {
  /** Puts the credentials into the namespace, and answers what stands under the backend's key. */
  prepare(where: Place, url?: string): Promise<Spec>;
  /** What signs, where that isn't Certwheel itself. */
  readonly signer?: Signer;
  /** Where it is a server by itself. */
  readonly server?: Server;
  /** Where it answers later. */
  readonly later?: Later;
  /** Where it can revoke. */
  readonly revocation?: RevocationProof;
  stop(): Promise<void>;
}

export interface Signer {
  halt(): Promise<void>;
  start(): Promise<void>;
  /** How many certificates were had from it, or asked of it, by its own book or that of the API server. */
  booked(): Promise<number>;
}

export interface Server {
  readonly url: string;
  /** In front of the server, with a certificate that the authority accepts. */
  readonly proxy: InterceptingProxy;
  /** Whether the request is one for a certificate. */
  asksForCertificate(exchange: Exchange): boolean;
  /** Makes others that alone are good from now on, and puts them into the namespace. */
  rotateCredentials(where: Place): Promise<void>;
}

export interface Later {
  /** What stands for a request in the cluster. */
  readonly resource: Resource;
  readonly approver: Approver;
  /** What a person is told to do for a request of that name. */
  remedy(where: Place, name: string): string;
}

export interface RevocationProof {
  /** The backend by itself, with credentials that may revoke. */
  backend(): Backend;
  /** What the server says of a certificate that is revoked; undefined of every other. */
  saysOf(serialNumber: string): Promise<string | undefined>;
  /** And what it says of one that was superseded. */
  readonly superseded: RegExp;
}

/** What the tests of a file share. */
export interface Shared {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly served: Served;
}
