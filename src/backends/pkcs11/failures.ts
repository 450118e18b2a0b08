import { AuthorityError } from '../../errors.ts';
import type { OwnFailure } from './messages.ts';

/** What a failure is about, for people. */
interface About {
  readonly token: string;
  readonly key: string;
  /** Path of the PKCS#11 library. */
  readonly library: string;
  /** Where the PIN is. */
  readonly pin: string;
}

type Failure = (about: About) => AuthorityError;

const locked: Failure = ({ token, library }) =>
  new AuthorityError(
    'CredentialsRefused',
    `the PIN of ${token} is locked after too many wrong ones; the security officer sets a new one with: pkcs11-tool --module ${library} --login --login-type so --init-pin`,
  );

/** Failures with a cure of their own, by their code. */
export const FAILURES: Readonly<Record<OwnFailure | 'CKR_PIN_LOCKED' | 'CKR_PIN_EXPIRED', Failure>> = {
  CKR_PIN_LOCKED: locked,
  CKR_PIN_EXPIRED: ({ token, pin }) =>
    new AuthorityError(
      'CredentialsRefused',
      `the PIN of ${token} has expired; set a new one, and write it into ${pin}`,
    ),
  PinLocked: locked,
  PinLastTry: ({ token, library }) =>
    new AuthorityError(
      'CredentialsRefused',
      `one more wrong PIN locks ${token}, so none is tried; log in once with the right one: pkcs11-tool --module ${library} --login --list-objects`,
    ),
  TokenNotFound: ({ token, library }) =>
    new AuthorityError(
      'AuthorityUnavailable',
      `${token} is not present; list the tokens with: pkcs11-tool --module ${library} --list-token-slots`,
    ),
  TokenAmbiguous: ({ token }) =>
    new AuthorityError('AuthorityMisconfigured', `several tokens fit ${token}; add serial to spec.pkcs11.uri`),
  KeyNotFound: ({ token, key, library }) =>
    new AuthorityError(
      'AuthorityMisconfigured',
      `${token} has no private key with ${key}; list its keys with: pkcs11-tool --module ${library} --login --list-objects --type privkey`,
    ),
  KeyAmbiguous: ({ token, key }) =>
    new AuthorityError(
      'AuthorityMisconfigured',
      `${token} has several private keys with ${key}; give both object and id in spec.pkcs11.uri`,
    ),
  KeyCannotSign: ({ token, key }) =>
    new AuthorityError(
      'AuthorityMisconfigured',
      `the key with ${key} in ${token} may not sign: its attribute CKA_SIGN is false`,
    ),
  KeyUnsupported: ({ token, key }) =>
    new AuthorityError(
      'AuthorityMisconfigured',
      `the key with ${key} in ${token} is not of the kind of the CA certificate, which must be ECDSA or RSA`,
    ),
  NoAddon: () => new AuthorityError('BackendDisabled', 'pkcs11js can not be loaded from the folder of --pkcs11-addon'),
  NoModule: ({ library }) =>
    new AuthorityError(
      'BackendDisabled',
      `the PKCS#11 library ${library} of --pkcs11-module can not be loaded; mount it together with the libraries that it needs`,
    ),
};
