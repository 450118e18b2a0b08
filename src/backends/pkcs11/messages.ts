import type { KeyMatch, TokenMatch } from './uri.ts';

/** What the controller asks the signer process; one at a time. It goes over the IPC channel, since it may hold the PIN. */
export type SignerRequest = { readonly id: number } & SignerQuestion;

export type SignerQuestion = IdentityQuestion | KeyQuestion;

/** Which token it is, without a login. */
export interface IdentityQuestion {
  readonly token: TokenMatch;
  readonly pin?: never;
}

export interface KeyQuestion {
  readonly token: TokenMatch;
  readonly key: KeyMatch;
  readonly pin: string;
  /** What is to be signed; without it the key is only looked for. */
  readonly input?: SigningInput | undefined;
}

/**
 * For `ecdsa` the digest, for which r and s come back, of the same length (CKM_ECDSA). For `rsa` a DigestInfo
 * (RFC 8017 section 9.2), which is padded in the token (CKM_RSA_PKCS).
 */
export interface SigningInput {
  readonly mechanism: 'ecdsa' | 'rsa';
  readonly data: Uint8Array;
}

export interface SignerAnswer {
  readonly id: number;
  /** See Token.identity. */
  readonly identity?: string;
  readonly found?: FoundKey;
  readonly signature?: Uint8Array;
  readonly failure?: SignerFailure;
}

/** A key in the token, as its attributes state it. */
export interface FoundKey {
  readonly kind: 'ec' | 'rsa';
  /** Whether CKA_EXTRACTABLE is true: the token would give the key to whoever has the PIN. */
  readonly isExtractable: boolean;
}

/** `code` is a CKR_ name of PKCS#11, or one of OWN_FAILURES. */
export interface SignerFailure {
  readonly code: string;
  /** The function that failed, such as C_Login. */
  readonly during: string;
}

/** What the signer process finds by itself. */
export const OWN_FAILURES = [
  'TokenNotFound',
  'TokenAmbiguous',
  'KeyNotFound',
  'KeyAmbiguous',
  'KeyCannotSign',
  'KeyUnsupported',
  'PinLocked',
  'PinLastTry',
  'NoAddon',
  'NoModule',
] as const;
export type OwnFailure = (typeof OWN_FAILURES)[number];
