export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/` on, and encoded already. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What must not be in a message, even where the server quotes it: tokens, passwords. */
  readonly secrets?: readonly string[];
}

/** Whatever a server answered; nothing about it is believed. */
export interface JsonAnswer {
  readonly status: number;
  /** Undefined where there is none, or where a refusal is no JSON. */
  readonly body: unknown;
  /** What a refusal says about itself, fit to be shown; empty where it says nothing. */
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}
