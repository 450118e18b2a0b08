import type { Resource } from '../../../src/api/names.ts';
import type { Backend, Capabilities, IdentityField } from '../../../src/backends/backend.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { clientCertificate } from '../support/objects.ts';
import type { World } from '../support/world.ts';
import type { Approver, decide } from './approver.ts';
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
  /** What a certificate of that name must ask for besides, or instead, where its common name alone is not enough. */
  readonly certificate?: (name: string) => Spec;
  /** Identities of nothing but one field, where those of the suite won't do; or why that field isn't asked for here. */
  readonly identities?: Readonly<Partial<Record<IdentityField, Wanted | string>>>;
  /** Whether a request that somebody removes is made again as it was; else with another key. */
  readonly keepsRemovedRequests?: boolean;
  /** What a client's own CSR must ask for besides its names, where the authority goes by that. */
  readonly clientCsr?: { readonly extensions: readonly string[] };
  /** Lives that the server grants as `capabilities.lifetime` says. */
  readonly lives: readonly string[];
  /** And what it refuses itself, with a part of the message. */
  readonly refusedLives: readonly { readonly duration: string; readonly says: string }[];
  /** Ways in which the configuration of the authority can be wrong. */
  readonly checks: readonly CheckRow[];
  /** Flags that the controller needs besides, and what must be there before it starts. */
  readonly flags?: () => Promise<readonly string[]>;
  /** What stands under its key where it can't revoke, if that depends on it. */
  readonly withoutRevocation?: Spec;
  /** Called once, by the first test that needs it. */
  start(world: Promise<World>): Promise<Served>;
}

/** An identity, and what must then stand in the certificate. */
export interface Wanted {
  readonly spec: Spec;
  readonly holds: readonly string[];
}

/** A ClientCertificate that this kind of authority takes. */
export function certificateOf({ certificate }: Subject, namespace: string, name: string, spec: Spec = {}) {
  return clientCertificate(namespace, name, { ...certificate?.(name), ...spec });
}

/** The same at the real service, with the credentials of a person's account. */
export interface RealSubject extends Subject {
  /** What a run makes there, what of that stays, and what is billed: a person reads it before the run. */
  readonly costs: string;
}

/** Parts of the suite that not every kind of authority can be asked. */
export const ASPECTS = [
  'a connection that is spoilt, slow or busy',
  'credentials that are rotated under it',
  'a minute without what signs',
  'requests that are answered later',
  'revocation',
  "a client's own CSR",
] as const;
export type Aspect = (typeof ASPECTS)[number];

/** What openssl writes into a request for an authority that finds the usages of the certificate in it. */
export const CLIENT_USAGES = ['keyUsage = critical, digitalSignature', 'extendedKeyUsage = clientAuth'];

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
  /** How it says that it is busy, unless it is as Vault does. */
  readonly busyBody?: string;
  /** Makes others that alone are good from now on, and puts them into the namespace. */
  rotateCredentials(where: Place): Promise<void>;
}

export interface Later {
  /** What stands for a request in the cluster. */
  readonly resource: Resource;
  readonly approver: Approver;
  /** What a person is told to do for a request of that name. */
  remedy(where: Place, name: string): string;
  /** The name of what stands for the request of a ClientCertificate, where it isn't the request's own. */
  nameOf?(certificate: string): string;
  /** Answers a request, where that isn't an approval. */
  readonly decide?: typeof decide;
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
