import type { Credentials } from './authority.ts';
import type { TlsVersion } from './cells.ts';
import type { FilePermissions, SecretFiles } from './mount.ts';
import type { ExpectedCell, RunningServer, ServerSetup } from './reader.ts';

/** What a client is asked for. */
export interface Question {
  /** `https://HOST:PORT/` of a server that answers with the identity of its client. */
  readonly port: number;
  /** Where the client's Secret is mounted. */
  readonly directory: string;
  /** The name of a client that lives on, with its connections; a new one unless given. */
  readonly keep?: string;
}

/** What the program got: the answer to the request, or its own message where it failed. */
export type ClientAnswer = { readonly status: number; readonly body: string } | { readonly error: string };

export interface RunningClient {
  ask(question: Question): Promise<ClientAnswer>;
  stop(): Promise<void>;
}

export interface ClientProgram {
  /** With that of its TLS library where it says so. */
  readonly version: string;
  start(): Promise<RunningClient>;
}

export interface PeerSetup extends ServerSetup {
  /** The only version; both unless given. */
  readonly tls: TlsVersion | undefined;
  /** How long it keeps a connection, such as `1s`, where it can limit that. */
  readonly maxAge: string;
  /** How long it reads on before it closes a connection, so that its alert reaches the client. */
  readonly linger: string;
}

/** A client that reads the files of a mounted Secret. */
export interface ClientReader {
  /** Of its file, and of its results. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  readonly source: string;
  /** How it picks up new files, for docs/interop.md. */
  readonly reloads: string;
  /** Starts the server that answers it, Go's for HTTPS unless given. */
  readonly startServer?: (setup: PeerSetup) => Promise<RunningServer>;
  /** What its Pod needs. */
  readonly permissions?: FilePermissions;
  /** Entries of the Secret beside the usual ones, such as key stores. */
  readonly outputs?: (credentials: Credentials) => Promise<SecretFiles>;
  install(): Promise<ClientProgram>;
  /** What it says where it or its peer refuses, by kind of failure. */
  readonly failures: Readonly<Record<ClientFailure, RegExp>>;
  /** What it says at times in place of the reason. */
  readonly vague?: RegExp;
  /** The cells that it refuses, which is a result as well; all others must work. The first that fits counts. */
  readonly refusedCells?: readonly ExpectedCell[];
}

/** What can be wrong with the client's own files, and with the server's certificate. */
export const CLIENT_FAILURES = [
  'expired',
  'not yet valid',
  'unknown CA',
  'for server auth alone',
  'key mismatch',
  'wrong format',
  'server: expired',
  'server: not yet valid',
  'server: unknown CA',
  'server: another name',
  'server: for client auth alone',
] as const;
export type ClientFailure = (typeof CLIENT_FAILURES)[number];
