/** A request whose bytes are the backend's: a signature may cover them. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/` on, and encoded already. */
  readonly path: string;
  /** Names in lower case; `accept` is JSON without it. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** What must not be in a message, even where the server quotes it: tokens, passwords. */
  readonly secrets?: readonly string[];
  /** Nothing that is needed: where the server asks not to be asked that, other requests go on. */
  readonly isAside?: boolean;
}

/** Whatever a server answered; nothing about it is believed. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of a header that comes several times, the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every value of the headers that may come several times, such as `link`. */
  all(header: string): readonly string[];
  readonly bytes: Buffer;
  readonly retryAfterMs: number | undefined;
}

/** undici gives a header that came several times as a list. */
export function headersOf(
  received: Readonly<Record<string, string | string[] | undefined>>,
): Pick<HttpAnswer, 'headers' | 'all'> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers[name] = first;
  }
  return { headers, all: (header) => [received[header] ?? []].flat() };
}
