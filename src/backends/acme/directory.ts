import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import { membersOf } from '../http/json-members.ts';

/** What an ACME server says of itself (RFC 8555 section 7.1.1, RFC 9773 section 4). */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string | undefined;
  readonly keyChange: string | undefined;
  readonly renewalInfo: string | undefined;
  readonly externalAccountRequired: boolean;
  readonly hasTerms: boolean;
  /** Undefined where the server has none. */
  readonly profiles: readonly string[] | undefined;
}

const MOST_PROFILES = 64;
const LONGEST_URL = 2_048;

/** Reads the directory at `address`. Throws an AuthorityError that is `unproven`. */
export function readDirectory(body: unknown, address: string): Directory {
  const members = membersOf(body);
  const { newNonce, newAccount, newOrder, revokeCert, keyChange, renewalInfo, meta } = members;
  if (![newNonce, newAccount, newOrder].every((each) => typeof each === 'string'))
    throw new AuthorityError('AuthorityMisconfigured', `${address} is not the directory of an ACME server`, {
      unproven: true,
    });
  const { externalAccountRequired, termsOfService, profiles } = membersOf(meta);
  const url = (name: string, value: unknown) => ownUrl(value, address, `${name} of its directory`, true);
  const optional = (name: string, value: unknown) => (value === undefined ? undefined : url(name, value));
  return {
    newNonce: url('newNonce', newNonce),
    newAccount: url('newAccount', newAccount),
    newOrder: url('newOrder', newOrder),
    revokeCert: optional('revokeCert', revokeCert),
    keyChange: optional('keyChange', keyChange),
    renewalInfo: optional('renewalInfo', renewalInfo),
    externalAccountRequired: externalAccountRequired === true,
    hasTerms: termsOfService !== undefined,
    profiles: profiles === undefined ? undefined : Object.keys(membersOf(profiles)).slice(0, MOST_PROFILES),
  };
}

/**
 * A URL that the server has named, which must be its own: requests carry the account's signature, and the address rules were
 * asked about the server of the spec alone. Throws an AuthorityError.
 */
export function ownUrl(value: unknown, server: string, what: string, unproven = false): string {
  const url =
    typeof value === 'string' && value.length <= LONGEST_URL && URL.canParse(value) ? new URL(value) : undefined;
  const { origin } = new URL(server);
  if (url !== undefined && url.origin === origin && url.username === '' && url.password === '') return url.href;
  const shown = url === undefined ? 'no URL' : `at ${withoutSecrets(url.origin)}`;
  throw new AuthorityError(
    'InvalidAnswer',
    `${origin}: ${what} is ${shown}, which is not asked: every URL of an ACME server must have the host and port of spec.acme.server`,
    { unproven },
  );
}
