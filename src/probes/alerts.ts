/** RFC 8446 section 6 and RFC 5246 section 7.2, in the words of the RFCs; those that a client may meet. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [20, 'bad record mac'],
  [40, 'handshake failure'],
  [42, 'bad certificate'],
  [43, 'unsupported certificate'],
  [44, 'certificate revoked'],
  [45, 'certificate expired'],
  [46, 'certificate unknown'],
  [47, 'illegal parameter'],
  [48, 'unknown ca'],
  [49, 'access denied'],
  [50, 'decode error'],
  [51, 'decrypt error'],
  [70, 'protocol version'],
  [71, 'insufficient security'],
  [80, 'internal error'],
  [112, 'unrecognized name'],
  [116, 'certificate required'],
  [120, 'no application protocol'],
]);

const HANDSHAKE_FAILURE = 40;
/** 51 is what OpenSSL sends where the signature of a CA below which it looks is wrong. */
const ABOUT_THE_CERTIFICATE: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 49, 51, 116]);

/** The number of the alert that an error of OpenSSL speaks of; undefined for other errors. */
export function alertIn({ message }: { readonly message: string }): number | undefined {
  const [, number] = /SSL alert number (\d+)/.exec(message) ?? [];
  return number === undefined ? undefined : Number(number);
}

export function alertText(alert: number): string {
  return `alert ${NAMES.get(alert) ?? alert}`;
}

/**
 * Whether an alert refuses the client's certificate. `asked` says whether the server had asked for one: Java and old servers
 * answer handshake_failure for one that they don't like, and others send the same before they have seen any.
 */
export function refusesCertificate(alert: number, asked: boolean): boolean {
  return ABOUT_THE_CERTIFICATE.has(alert) || (alert === HANDSHAKE_FAILURE && asked);
}
