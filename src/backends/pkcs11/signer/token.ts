import type { FoundKey, IdentityQuestion, KeyQuestion, OwnFailure, SigningInput } from '../messages.ts';
import type { KeyMatch, TokenMatch } from '../uri.ts';
import * as ck from './cryptoki.ts';

/** Of 8192-bit RSA, and more than r and s of P-521. */
const LONGEST_SIGNATURE = 1_024;

/** A failure that no CKR_ code names. */
export class TokenFailure extends Error {
  readonly failure: OwnFailure;

  constructor(failure: OwnFailure) {
    super(failure);
    this.failure = failure;
  }
}

interface OpenKey extends FoundKey {
  readonly handle: Buffer;
  readonly needsPinEachTime: boolean;
}

/**
 * One token, logged in. The session and the handles of keys are kept; whoever gets an error from here ends the process, so
 * nothing is repaired.
 */
export class Token {
  readonly #cryptoki: ck.Cryptoki;
  #session: Buffer | undefined;
  readonly #keys = new Map<string, OpenKey>();

  constructor(cryptoki: ck.Cryptoki) {
    this.#cryptoki = cryptoki;
  }

  /** The same for every URI that fits this token, and another for every other token. */
  identity({ token }: IdentityQuestion): string {
    const { label, serialNumber, manufacturerID, model } = findToken(this.#cryptoki, token).info;
    return JSON.stringify([manufacturerID, model, serialNumber, label].map(unpadded));
  }

  find({ token, key, pin }: KeyQuestion): FoundKey {
    const { kind, isExtractable } = this.#open(token, key, pin);
    return { kind, isExtractable };
  }

  sign({ token, key, pin }: KeyQuestion, { mechanism, data }: SigningInput): Buffer {
    const { handle, kind, needsPinEachTime } = this.#open(token, key, pin);
    if ((kind === 'rsa') !== (mechanism === 'rsa')) throw new TokenFailure('KeyUnsupported');
    const session = this.#login(token, pin);
    this.#cryptoki.C_SignInit(session, { mechanism: kind === 'rsa' ? ck.CKM_RSA_PKCS : ck.CKM_ECDSA }, handle);
    if (needsPinEachTime) this.#cryptoki.C_Login(session, ck.CKU_CONTEXT_SPECIFIC, pin);
    return this.#cryptoki.C_Sign(session, Buffer.from(data), Buffer.alloc(LONGEST_SIGNATURE));
  }

  #open(token: TokenMatch, key: KeyMatch, pin: string): OpenKey {
    const name = JSON.stringify([key.object, key.id]);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const session = this.#login(token, pin);
    const opened = describe(this.#cryptoki, session, findKey(this.#cryptoki, session, key));
    this.#keys.set(name, opened);
    return opened;
  }

  #login(token: TokenMatch, pin: string): Buffer {
    if (this.#session !== undefined) return this.#session;
    const {
      slot,
      info: { flags },
    } = findToken(this.#cryptoki, token);
    // The last wrong PIN locks the token, and only its security officer can unlock it: a person has to make that try.
    if ((flags & ck.CKF_USER_PIN_LOCKED) !== 0) throw new TokenFailure('PinLocked');
    if ((flags & ck.CKF_USER_PIN_FINAL_TRY) !== 0) throw new TokenFailure('PinLastTry');
    const session = this.#cryptoki.C_OpenSession(slot, ck.CKF_SERIAL_SESSION);
    this.#cryptoki.C_Login(session, ck.CKU_USER, pin);
    this.#session = session;
    return session;
  }
}

function findToken(cryptoki: ck.Cryptoki, wanted: TokenMatch): { readonly slot: Buffer; readonly info: ck.TokenInfo } {
  const fitting = cryptoki.C_GetSlotList(true).flatMap((slot) => {
    const info = cryptoki.C_GetTokenInfo(slot);
    return (info.flags & ck.CKF_TOKEN_INITIALIZED) !== 0 && fits(info, wanted) ? [{ slot, info }] : [];
  });
  const [found, ...more] = fitting;
  if (found === undefined) throw new TokenFailure('TokenNotFound');
  if (more.length > 0) throw new TokenFailure('TokenAmbiguous');
  return found;
}

/** PKCS#11 pads these fields with blanks, and some libraries with NUL. */
function fits(info: ck.TokenInfo, { token, serial, manufacturer, model }: TokenMatch): boolean {
  const pairs = [
    [info.label, token],
    [info.serialNumber, serial],
    [info.manufacturerID, manufacturer],
    [info.model, model],
  ] as const;
  return pairs.every(([stated, wanted]) => wanted === undefined || unpadded(stated) === unpadded(wanted));
}

function unpadded(text: string): string {
  return text.replace(/[ \0]+$/, '');
}

function findKey(cryptoki: ck.Cryptoki, session: Buffer, { object, id }: KeyMatch): Buffer {
  const template: ck.Attribute[] = [{ type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY }];
  if (object !== undefined) template.push({ type: ck.CKA_LABEL, value: Buffer.from(object) });
  if (id !== undefined) template.push({ type: ck.CKA_ID, value: Buffer.from(id, 'hex') });
  cryptoki.C_FindObjectsInit(session, template);
  const found = cryptoki.C_FindObjects(session, 2);
  cryptoki.C_FindObjectsFinal(session);
  const [key, another] = found;
  if (key === undefined) throw new TokenFailure('KeyNotFound');
  if (another !== undefined) throw new TokenFailure('KeyAmbiguous');
  return key;
}

function describe(cryptoki: ck.Cryptoki, session: Buffer, handle: Buffer): OpenKey {
  const read = (type: number) => cryptoki.C_GetAttributeValue(session, handle, [{ type }])[0]?.value;
  const isTrue = (type: number) => (read(type)?.[0] ?? 0) !== 0;
  // CK_ULONG, in the order of this machine.
  const kind = { [ck.CKK_RSA]: 'rsa' as const, [ck.CKK_EC]: 'ec' as const }[read(ck.CKA_KEY_TYPE)?.[0] ?? -1];
  if (kind === undefined) throw new TokenFailure('KeyUnsupported');
  if (!isTrue(ck.CKA_SIGN)) throw new TokenFailure('KeyCannotSign');
  return {
    handle,
    kind,
    isExtractable: isTrue(ck.CKA_EXTRACTABLE),
    needsPinEachTime: optionally(() => isTrue(ck.CKA_ALWAYS_AUTHENTICATE)),
  };
}

/** Libraries before PKCS#11 2.20 don't know the attribute. */
function optionally(read: () => boolean): boolean {
  try {
    return read();
  } catch {
    return false;
  }
}
