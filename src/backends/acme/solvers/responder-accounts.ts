import type { AcmeSolverSelector } from '../../../api/generated/types.ts';
import { chooseSolver } from './select.ts';

/**
 * An ACME account whose challenges of type http-01 are answered. All of it is public: the thumbprint is that of the public key
 * of the account (RFC 7638).
 */
export interface ResponderAccount {
  readonly thumbprint: string;
  /** When it was registered, as RFC 3339; of two accounts for one name the older one is used. */
  readonly since: string;
  /** Those of the http01 solvers of its authority. An empty one stands for all names. */
  readonly selectors: readonly AcmeSolverSelector[];
}

/** A header of every answer of the responder, by which a solver knows it. */
export const RESPONDER_HEADER = 'x-certwheel-responder';

/** Of SHA-256, in base64url. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
/** RFC 8555 section 8.1: base64url with at least 128 bits. */
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/** An entry of the ConfigMap; undefined for what is none. */
export function parseAccount(text: string): ResponderAccount | undefined {
  try {
    const { thumbprint, since, selectors } = JSON.parse(text) as Partial<ResponderAccount>;
    if (typeof thumbprint !== 'string' || !THUMBPRINT.test(thumbprint) || typeof since !== 'string') return undefined;
    if (!Array.isArray(selectors) || !selectors.every(isSelector)) return undefined;
    return { thumbprint, since, selectors };
  } catch {
    return undefined;
  }
}

/**
 * The key authorization for a token (RFC 8555 section 8.1), by the account whose selector fits the host best. It needs no
 * state, so every replica answers the same. Undefined where there is no account, or where the token is none.
 */
export function answerFor(
  host: string | undefined,
  token: string,
  accounts: readonly ResponderAccount[],
): string | undefined {
  if (!TOKEN.test(token)) return undefined;
  const offers = accounts
    .toSorted((one, other) => (one.since < other.since ? -1 : one.since > other.since ? 1 : 0))
    .flatMap(({ thumbprint, selectors }) => selectors.map((selector) => ({ thumbprint, selector })));
  const chosen = chooseSolver(
    hostOf(host ?? ''),
    offers.map(({ selector }) => selector),
  );
  return chosen === undefined ? undefined : `${token}.${offers[chosen]?.thumbprint}`;
}

/** Without the port, and an IPv6 address without its brackets. */
function hostOf(header: string): string {
  return header.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
}

function isSelector(value: unknown): value is AcmeSolverSelector {
  if (typeof value !== 'object' || value === null) return false;
  const { dnsNames = [], dnsZones = [] } = value as AcmeSolverSelector;
  return [dnsNames, dnsZones].every((list) => Array.isArray(list) && list.every((each) => typeof each === 'string'));
}
