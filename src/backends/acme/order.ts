import { AuthorityError } from '../../errors.ts';
import { membersOf } from '../http/json-members.ts';
import { type Problem, problemOf } from './problem.ts';

/** RFC 8555 section 9.7.7 and RFC 8738. */
export interface Identifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

const STATES = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;

/** An order as the server sent it (RFC 8555 section 7.1.3). Its URLs are not checked yet, see Session.own. */
export interface Order {
  readonly status: (typeof STATES)[number];
  readonly identifiers: readonly Identifier[];
  readonly authorizations: readonly unknown[];
  readonly finalize: unknown;
  readonly certificate: unknown;
  readonly error: Problem | undefined;
}

export interface Challenge {
  readonly type: string;
  readonly status: string;
  readonly url: unknown;
  readonly token: string;
  readonly error: Problem | undefined;
}

/** RFC 8555 section 7.1.4. */
export interface Authorization {
  readonly status: string;
  readonly identifier: Identifier;
  readonly isWildcard: boolean;
  readonly challenges: readonly Challenge[];
}

const MOST_IDENTIFIERS = 100;
const MOST_CHALLENGES = 16;
/** RFC 8555 section 8.1; a solver makes a file name of it. */
const TOKEN = /^[A-Za-z0-9_-]{1,512}$/;

/** Throws an AuthorityError where it is none; `server` is for the message. */
export function readOrder(body: unknown, server: string): Order {
  const { status, identifiers, authorizations, finalize, certificate, error } = membersOf(body);
  const state = STATES.find((each) => each === status);
  if (state === undefined || !Array.isArray(identifiers) || !Array.isArray(authorizations))
    throw new AuthorityError('InvalidAnswer', `${server} answered with something else than an order`);
  if (identifiers.length > MOST_IDENTIFIERS || authorizations.length > MOST_IDENTIFIERS)
    throw new AuthorityError(
      'InvalidAnswer',
      `${server} answered with an order for more than ${MOST_IDENTIFIERS} names`,
    );
  return {
    status: state,
    identifiers: identifiers.map(readIdentifier),
    authorizations,
    finalize,
    certificate,
    error: error === undefined || error === null ? undefined : problemOf(error),
  };
}

/** Throws an AuthorityError where it is none. */
export function readAuthorization(body: unknown, server: string): Authorization {
  const { status, identifier, wildcard, challenges } = membersOf(body);
  if (typeof status !== 'string' || !Array.isArray(challenges))
    throw new AuthorityError('InvalidAnswer', `${server} answered with something else than an authorization`);
  return {
    status,
    identifier: readIdentifier(identifier),
    isWildcard: wildcard === true,
    challenges: challenges.slice(0, MOST_CHALLENGES).flatMap(readChallenge),
  };
}

function readChallenge(value: unknown): Challenge[] {
  const { type, status, url, token, error } = membersOf(value);
  if (typeof type !== 'string' || typeof token !== 'string' || !TOKEN.test(token)) return [];
  return [{ type, status: String(status), url, token, error: error === undefined ? undefined : problemOf(error) }];
}

function readIdentifier(value: unknown): Identifier {
  const { type, value: name } = membersOf(value);
  return { type: type === 'ip' ? 'ip' : 'dns', value: typeof name === 'string' ? name.toLowerCase() : '' };
}

/** Whether both are for the same names, in any order. */
export function sameIdentifiers(some: readonly Identifier[], others: readonly Identifier[]): boolean {
  const texts = (list: readonly Identifier[]) =>
    [...new Set(list.map(({ type, value }) => `${type}:${value}`))].sort().join();
  return texts(some) === texts(others);
}
