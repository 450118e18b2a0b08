import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, NOW, SECOND } from '../../test/unit/builders.ts';
import { REVOCATION_REASONS } from '../api/revocation.ts';
import {
  type Addition,
  addTo,
  hasMore,
  MOST_OWED,
  MOST_REGISTERED,
  markRevoked,
  owedIn,
  type Register,
  type Registered,
  readRegister,
  SHARE,
  withoutExpired,
  writeRegister,
} from './register.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

const MIB = 2 ** 20;
/** As long as Kubernetes allows namespaces and names of ClientCertificates. */
const OWNER = `${'n'.repeat(63)}/${'c'.repeat(63)}`;
const ISSUER = 'ab'.repeat(32);

function addition(serialNumber: string, fields: Partial<Addition> = {}): Addition {
  return { serialNumber, notAfter: after(DAY), issuerFingerprint: ISSUER, reason: 'superseded', ...fields };
}

function noted(...additions: readonly Addition[]): Register {
  return addTo(new Map(), additions, NOW).register;
}

const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => `7f${(first + index).toString(16).padStart(38, '0')}`);

const hex = (minBytes: number, maxBytes: number) =>
  fc.uint8Array({ minLength: minBytes, maxLength: maxBytes }).map((bytes) => Buffer.from(bytes).toString('hex'));
const moment = fc.integer({ min: 0, max: 253_402_300_799 }).map((seconds) => new Date(seconds * 1_000));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const entry: fc.Arbitrary<Registered> = fc
  .record({
    serialNumber: hex(1, 20),
    notAfter: moment,
    askedAt: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1_000)),
    reason: fc.constantFrom(...REVOCATION_REASONS),
    issuerFingerprint: maybe(fc.constantFrom(ISSUER, 'cd'.repeat(32))),
    doneAfter: maybe(fc.nat({ max: 40_000_000 })),
    owner: maybe(fc.constantFrom('team/client', OWNER)),
    namespace: maybe(fc.constantFrom('team', 'n'.repeat(63))),
    externalId: maybe(fc.string({ minLength: 1, unit: 'binary', maxLength: 40 })),
  })
  .map(({ doneAfter, owner, externalId, ...each }) => ({
    ...each,
    revokedAt: doneAfter === undefined ? undefined : after(doneAfter * SECOND, each.askedAt),
    // What is done needs neither.
    ...(doneAfter === undefined && { owner, externalId }),
  }));
const registers = fc
  .uniqueArray(entry, { selector: ({ serialNumber }) => serialNumber, maxLength: 30 })
  .map((entries): Register => new Map(entries.map((each) => [each.serialNumber, each])));

/** Without what is undefined. */
function shown(register: Register): unknown {
  return JSON.parse(JSON.stringify([...register].sort(([one], [other]) => (one < other ? -1 : 1))));
}

test('a register is read as it was written', () => {
  fc.assert(
    fc.property(registers, (register) => assert.equal(shown(readRegister(writeRegister(register))), shown(register))),
    { seed, numRuns: 1_000 },
  );
});

test('a text that anybody wrote gives entries that can be written, or none', () => {
  const piece = fc.oneof(
    fc.constantFrom(' ', '\n', '@', '-', '0', '4', '5', '9', 'AQ', 'zzzzzzzz', 'zzzzzzzzz', ISSUER, '%', '%2D'),
    fc.string({ maxLength: 3 }),
  );
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (written) => {
      const register = readRegister(written);
      assert.equal(shown(readRegister(writeRegister(register))), shown(register));
      for (const { serialNumber } of register.values()) assert.match(serialNumber, /^([0-9a-f]{2}){1,20}$/);
    }),
    { seed, numRuns: 2_000 },
  );
});

test('a register that is full of revoked certificates fits into a Secret', () => {
  const notAfter = new Date('2039-01-01T00:00:00Z');
  const entries = numbered(MOST_REGISTERED - 200).map((each) => addition(each, { notAfter, owner: OWNER }));
  const done = new Map(entries.map((each) => [each.serialNumber, { ...each, askedAt: NOW, revokedAt: after(DAY) }]));
  // Few at once: what is owed takes more room than what is done.
  const last = numbered(200, done.size).map((each) => addition(each, { notAfter, owner: OWNER }));
  const { register, left: none } = addTo(done, last, NOW);
  assert.equal(none, []);
  assert.ok(Buffer.byteLength(writeRegister(register)) < MIB);
  assert.is(readRegister(writeRegister(register)).size, MOST_REGISTERED);
  const { left } = addTo(register, [addition('aa')], NOW);
  assert.is(left.length, 1);
});

test('a register of owed certificates with long owners and ids fits into a Secret, and the rest is left', () => {
  const externalId = 'é'.repeat(1_024);
  const all = numbered(MOST_OWED + 1).map((each) => addition(each, { owner: OWNER, externalId }));
  const { register, left } = addTo(new Map(), all, NOW);
  assert.ok(Buffer.byteLength(writeRegister(register)) < MIB);
  assert.ok(register.size > 100);
  assert.is(register.size + left.length, MOST_OWED + 1);
  const short = numbered(MOST_OWED + 1).map((each) => addition(each, { owner: OWNER }));
  assert.is(addTo(new Map(), short, NOW).left.length, 1);
});

test('the first reason and moment stay, but a compromised key', () => {
  const first = noted(addition('aa', { reason: 'superseded' }));
  const again = addTo(first, [addition('aa', { reason: 'affiliationChanged' })], after(HOUR)).register;
  assert.not.ok(hasMore(again, first));
  const stolen = addTo(first, [addition('aa', { reason: 'keyCompromise' })], after(HOUR)).register;
  assert.ok(hasMore(stolen, first));
  assert.equal(stolen.get('aa'), { ...first.get('aa'), reason: 'keyCompromise' });
  const back = addTo(stolen, [addition('aa', { reason: 'superseded' })], after(HOUR)).register;
  assert.is(back.get('aa')?.reason, 'keyCompromise');
});

test('what is revoked stays so when the reason becomes a compromised key', () => {
  const done = markRevoked(noted(addition('aa')), ['aa'], after(SECOND));
  const { register } = addTo(done, [addition('aa', { reason: 'keyCompromise' })], after(HOUR));
  assert.equal(owedIn(register), []);
});

test('what has expired is not noted down, and leaves the register after the grace', () => {
  assert.is(noted(addition('aa', { notAfter: NOW })).size, 0);
  const register = noted(addition('aa', { notAfter: after(SECOND) }), addition('bb'));
  assert.is(withoutExpired(register, HOUR, after(HOUR)), register);
  assert.equal([...withoutExpired(register, HOUR, after(HOUR + SECOND)).keys()], ['bb']);
});

test('what is marked as revoked that the register lacks is left alone', () => {
  const register = noted(addition('aa'));
  assert.equal(shown(markRevoked(register, ['bb'], NOW)), shown(register));
});

test('of an authority that namespaces share, no namespace takes more than its share', () => {
  const of = (namespace: string, count: number, first: number) =>
    numbered(count, first).map((serial) => addition(serial, { owner: `${namespace}/client` }));
  const flood = addTo(new Map(), of('flood', MOST_OWED, 0), NOW, true);
  assert.is(flood.register.size, MOST_OWED / SHARE);
  assert.is(flood.left.length, MOST_OWED - MOST_OWED / SHARE);
  assert.is(addTo(flood.register, of('other', 10, 10_000), NOW, true).left.length, 0);
  // What is done goes on counting, for as long as the certificates are valid.
  let { register } = flood;
  for (let round = 1; round <= SHARE * SHARE; round++) {
    register = markRevoked(register, register.keys(), NOW);
    register = addTo(readRegister(writeRegister(register)), of('flood', MOST_OWED, round * 20_000), NOW, true).register;
  }
  assert.is(register.size, MOST_REGISTERED / SHARE);
  assert.is(addTo(register, of('flood', 1, 900_000), NOW, true).left.length, 1);
  assert.is(addTo(register, of('other', 1, 900_000), NOW, true).left.length, 0);
});

test('the authority of one namespace has the whole register for that', () => {
  const all = numbered(MOST_OWED).map((serial) => addition(serial, { owner: 'team/client' }));
  assert.is(addTo(new Map(), all, NOW).left.length, 0);
});

test.run();
