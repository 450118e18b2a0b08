import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as ck from './cryptoki.ts';
import { Token, TokenFailure } from './token.ts';

// States of a token that SoftHSM never has; the others are tested with SoftHSM, in test/e2e/backends.

const LABEL = 'a'.padEnd(32);
const NORMAL = ck.CKF_TOKEN_INITIALIZED;

interface Made {
  readonly flags?: number;
  readonly tokens?: number;
  readonly attributes?: Readonly<Record<number, number>>;
}

function token({ flags = NORMAL, tokens = 1, attributes = {} }: Made) {
  const called: string[] = [];
  const values: Readonly<Record<number, number>> = { [ck.CKA_KEY_TYPE]: ck.CKK_EC, [ck.CKA_SIGN]: 1, ...attributes };
  const cryptoki = {
    C_GetSlotList: () => Array.from({ length: tokens }, (_, slot) => Buffer.of(slot)),
    C_GetTokenInfo: () => ({ label: LABEL, serialNumber: '1\0\0', manufacturerID: '', model: '', flags }),
    C_OpenSession: () => Buffer.of(1),
    C_Login: (_session: Buffer, user: number) => void called.push(`login ${user}`),
    C_FindObjectsInit: () => {},
    C_FindObjects: () => [Buffer.of(1)],
    C_FindObjectsFinal: () => {},
    C_GetAttributeValue: (_session: Buffer, _key: Buffer, [wanted]: readonly ck.Attribute[]) => {
      const value = values[wanted?.type ?? 0];
      if (value === undefined) throw new Error('CKR_ATTRIBUTE_TYPE_INVALID:18');
      return [{ value: Buffer.of(value, 0, 0, 0, 0, 0, 0, 0) }];
    },
    C_SignInit: () => void called.push('init'),
    C_Sign: () => Buffer.of(called.push('sign')),
  };
  const request = { id: 1, token: { token: 'a', serial: '1' }, key: { object: 'k' }, pin: '1' };
  return { called, request, token: new Token(cryptoki as unknown as ck.Cryptoki) };
}

function failureOf(made: Made): { readonly failure: string; readonly called: readonly string[] } {
  const { token: tried, request, called } = token(made);
  try {
    tried.find(request);
  } catch (error) {
    assert.instance(error, TokenFailure);
    return { failure: (error as TokenFailure).failure, called };
  }
  throw new Error('it was found');
}

test('no PIN is tried where one more wrong one would lock the token, or where it is locked', () => {
  assert.equal(failureOf({ flags: NORMAL | ck.CKF_USER_PIN_FINAL_TRY }), { failure: 'PinLastTry', called: [] });
  assert.equal(failureOf({ flags: NORMAL | ck.CKF_USER_PIN_LOCKED }), { failure: 'PinLocked', called: [] });
});

test('a token that is not initialised, or one of several that fit, gets no PIN', () => {
  assert.equal(failureOf({ flags: 0 }), { failure: 'TokenNotFound', called: [] });
  assert.equal(failureOf({ tokens: 2 }), { failure: 'TokenAmbiguous', called: [] });
});

test('a key that may not sign, or is of another kind, is refused', () => {
  const of = (attributes: Made['attributes'] & object) =>
    failureOf({ attributes: { [ck.CKA_EXTRACTABLE]: 0, ...attributes } }).failure;
  assert.is(of({ [ck.CKA_SIGN]: 0 }), 'KeyCannotSign');
  assert.is(of({ [ck.CKA_KEY_TYPE]: 0x40 }), 'KeyUnsupported');
});

test('a library that knows no CKA_ALWAYS_AUTHENTICATE signs without another login, and a key that has it takes one', () => {
  const input = { mechanism: 'ecdsa', data: Buffer.alloc(32) } as const;
  const plain = token({ attributes: { [ck.CKA_EXTRACTABLE]: 0 } });
  plain.token.sign(plain.request, input);
  assert.equal(plain.called, [`login ${ck.CKU_USER}`, 'init', 'sign']);
  const strict = token({ attributes: { [ck.CKA_EXTRACTABLE]: 0, [ck.CKA_ALWAYS_AUTHENTICATE]: 1 } });
  strict.token.sign(strict.request, input);
  assert.equal(strict.called, [`login ${ck.CKU_USER}`, 'init', `login ${ck.CKU_CONTEXT_SPECIFIC}`, 'sign']);
});

test.run();
