import type { Capabilities } from '../../../src/authorities/authority.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import type { World } from '../support/world.ts';
import type { Exchange, Meddler } from './meddler.ts';

/** A kind of authority, as the conformance suite asks about it. */
export interface Subject {
  /** The key under `spec`. */
  readonly type: string;
  readonly capabilities: Capabilities;
  /** It is reached by way of the Kubernetes API: there is no connection of its own that could be spoilt. */
  readonly inCluster?: boolean;
  /** Lives that the server grants as `capabilities.lifetime` says. */
  readonly lives: readonly string[];
  /** And what it refuses itself, with a part of the message. */
  readonly refusedLives: readonly { readonly duration: string; readonly says: string }[];
  /** Ways in which the configuration of the authority can be wrong. */
  readonly checks: readonly CheckRow[];
  /** Called once, by the first test that needs it. */
  start(): Promise<Served>;
}

/** One step of `check()`, made to fail. */
export interface CheckRow {
  readonly step: string;
  readonly reason: ErrorCode;
  /** Part of the message of the authority's Ready condition. */
  readonly says: string;
  /** What stands under the backend's key in place of `good`; may change what `prepare` has put into the namespace. */
  spoil(good: Spec, where: Place): Spec | Promise<Spec>;
}

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
    reason: 'AuthorityUnreachable',
    says: 'the connection was refused',
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
  readonly server?: Server;
  stop(): Promise<void>;
}

export interface Server {
  /** In front of the server, with a certificate that the authority accepts. */
  readonly proxy: Meddler;
  /** Whether the request is one for a certificate. */
  asksForCertificate(exchange: Exchange): boolean;
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Makes others that alone are good from now on, and puts them into the namespace. */
  rotateCredentials(where: Place): Promise<void>;
}

/** What the tests of a file share. */
export interface Shared {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly served: Served;
}
