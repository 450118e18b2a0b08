/** What is asked of the authority, what is written into the Secret, and what is left alone. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, signIntermediate } from '../../test/pki/make.ts';
import { aCertificate, DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { ca } from '../../test/unit/journaled-authority.ts';
import { bytesOf } from '../../test/unit/stored-bytes.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { Told } from '../../test/unit/told.ts';
import type { RawObject } from '../api/parse.ts';
import type { Capabilities } from '../backends/backend.ts';
import { CertwheelError, RetryableError, TerminalError } from '../errors.ts';
import { parsePrivateKey, publicKeyDer } from '../pki/keys.ts';
import { readLedger } from './secret/ledger.ts';

const intermediate = await signIntermediate(ca);
const foreign = await leaf(ca);
const LATER: Partial<Capabilities> = { persistKey: true, remote: true };

function isNo(times: number): () => void {
  let left = times;
  return () => {
    if (left-- <= 0) throw new TerminalError('NamespaceNotAllowed', 'it serves another namespace by now');
  };
}

/** A world with a Secret that holds a good certificate. */
async function issued(raw?: RawObject, capabilities?: Partial<Capabilities>): Promise<CertificateWorld> {
  const world = new CertificateWorld(structuredClone(raw), capabilities);
  await world.settle();
  return world;
}

test('a request names the identity that the resource asks for, and its requester', async () => {
  const world = await issued(aCertificate({ duration: '2h', dnsNames: ['a.example.com'] }).raw);
  await world.issue();
  const [first, second] = world.ca.asked;
  for (const each of [first, second]) assert.match(each?.id ?? '', /^uid-1-[0-9a-f]{16}$/);
  assert.is.not(first?.id, second?.id, 'derived from the key, too');
  assert.equal(second?.requester, { namespace: 'team', name: 'client', uid: 'uid-1' });
  assert.is(second?.lifetimeMs, 2 * HOUR);
  assert.equal(second?.identity.names.dnsNames, ['a.example.com']);
  assert.not.equal(first?.publicKey, second?.publicKey, 'a new key for each');
});

test('the Secret holds the leaf, what leads to its root, its key, and what is remembered of it', async () => {
  const world = await issued();
  await world.clock.advance(HOUR);
  const first = world.store.view();
  await world.issue({ ...world.ca.view, issuers: [intermediate.certificate] });
  const { chain, key, trust } = bytesOf(world.store.object);
  assert.is(chain.length, 2);
  assert.is(chain[1]?.fingerprintSHA256, intermediate.certificate.fingerprintSHA256);
  assert.equal(publicKeyDer(parsePrivateKey(key)), world.ca.asked[1]?.publicKey);
  assert.is(trust, ca.certificate.pem);
  const memory = world.store.view()?.memory;
  assert.equal(
    [memory?.revision, memory?.authority, memory?.authorityGeneration, memory?.requestedDurationMs, memory?.issuedAt],
    [2, 'CertificateAuthority/ca', 1, DAY, world.clock.now()],
  );
  assert.equal(
    readLedger(memory?.ledger ?? '').entries.map(({ serialNumber }) => serialNumber),
    [chain[0]?.serialNumber, first?.certificate?.serialNumber],
  );
});

test('a key is kept only under Never, and only while it is of the kind that is asked for', async () => {
  for (const [rotationPolicy, later, isKept] of [
    ['Never', {}, true],
    ['Always', {}, false],
    ['Never', { algorithm: 'ECDSA', size: 384 }, false],
  ] as const) {
    const world = await issued(aCertificate({ privateKey: { rotationPolicy } }).raw);
    world.edit({ spec: aCertificate({ privateKey: { rotationPolicy, ...later } }).raw.spec });
    await world.issue();
    const [first, second] = world.ca.asked.map(({ publicKey }) => publicKey.toString('hex'));
    assert.is(first === second, isKept, `${rotationPolicy} ${JSON.stringify(later)}`);
  }
});

test('a request names the rule that permits it right before the authority is asked', async () => {
  const world = new CertificateWorld();
  world.rule = 'web';
  await world.issue();
  world.rule = undefined;
  await world.issue();
  assert.equal(
    world.ca.asked.map(({ rule }) => rule),
    ['web', undefined],
  );
});

/** How often the authority must serve the namespace until it may not any more, and what has happened by then. */
const WITHDRAWN: readonly (readonly [Partial<Capabilities>, number, readonly string[]])[] = [
  [{}, 0, []],
  [{}, 1, ['leading', 'audit', 'signed', 'asked']],
  [LATER, 0, []],
  [LATER, 1, ['leading', 'next']],
  [LATER, 2, ['leading', 'next', 'leading', 'audit', 'signed', 'asked']],
];
for (const [capabilities, times, lines] of WITHDRAWN)
  test(`${JSON.stringify(capabilities)}: a permission that ends after ${times} questions ends the issue`, async () => {
    const world = new CertificateWorld(undefined, capabilities);
    world.served = isNo(times);
    const error = await thrownBy(world.issue());
    assert.is(error instanceof CertwheelError && error.code, 'NamespaceNotAllowed');
    assert.equal(world.journal.lines, lines);
    assert.is(world.store.object, undefined);
  });

/** What the write fails with (so often), whether it is stored all the same, and whether the next issue needs no signature. */
const FAILED: readonly (readonly [status: number, times: number, isStored: boolean, isKept: boolean])[] = [
  [409, 4, false, true],
  [500, 4, false, true],
  [0, 4, false, true],
  [429, 1, false, true],
  [403, 1, false, false],
  [422, 1, false, false],
];
for (const [status, times, isStored, isKept] of FAILED)
  test(`a write that ends with ${status}: the certificate is ${isKept ? 'published by' : 'lost to'} the next try`, async () => {
    const world = new CertificateWorld();
    world.journal.refuse('Secret', ...Array.from({ length: times }, () => refusal(status)));
    assert.ok((await thrownBy(world.issue())) !== undefined);
    assert.is(world.store.object !== undefined, isStored);
    await world.issue();
    assert.is(world.ca.signed, isKept ? 1 : 2);
    assert.is(world.writes.secret, 1);
  });

test('a certificate that could not be published is published later only for the spec that it was made for', async () => {
  const world = new CertificateWorld();
  world.journal.refuse('Secret', refusal(429));
  await thrownBy(world.issue());
  world.edit({ metadata: { generation: 2 }, spec: aCertificate({ commonName: 'other' }).raw.spec });
  await world.issue();
  assert.is(world.ca.signed, 2);
  assert.match(bytesOf(world.store.object).chain[0]?.subjectText ?? '', 'other');
});

test('a certificate that was published meanwhile is not overwritten', async () => {
  const world = await issued();
  const seen = world.seen();
  await world.issue();
  const before = structuredClone(world.store.object);
  const error = await thrownBy(world.issue(world.ca.view, seen));
  assert.is(error instanceof RetryableError && error.code, 'Conflict');
  assert.equal(world.store.object, before);
});

/** What is done on the way of a Secret, and whether something is signed after the last write met it. */
const ADMISSIONS: Readonly<Record<string, readonly [(object: RawObject) => RawObject, boolean]>> = {
  'takes ca.crt away': [({ data, ...rest }) => ({ ...rest, data: { ...data, 'ca.crt': '' } }), false],
  'makes another type of it': [(object) => ({ ...object, type: 'Opaque' }), false],
  'takes our label away': [({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, labels: {} } }), false],
  'takes a memory away': [
    ({ metadata, ...rest }) => {
      const { 'certwheel.io/revision': _, ...annotations } = metadata?.annotations ?? {};
      return { ...rest, metadata: { ...metadata, annotations } };
    },
    true,
  ],
};
for (const [what, [mutate, isSigned]] of Object.entries(ADMISSIONS))
  test(`an admission that ${what}: the next issue ${isSigned ? 'is made all the same' : 'signs nothing'}`, async () => {
    const world = await issued();
    world.store.mutate = mutate;
    world.edit({ metadata: { generation: 2 }, spec: aCertificate({ commonName: 'other' }).raw.spec });
    await world.run();
    const { signed } = world.ca;
    const { length } = world.journal.lines;
    assert.equal(signed, 2, 'the first one could not know');
    const error = await thrownBy(world.issue());
    assert.is(error instanceof CertwheelError && error.code, 'SecretAltered');
    assert.is(world.ca.signed - signed, isSigned ? 1 : 0);
    assert.is(world.journal.since(length)[0], 'rehearsal');
  });

test('an answer that is refused ends its request, so that the next try makes another one', async () => {
  const world = new CertificateWorld(undefined, LATER);
  world.ca.answer = () => ({ chain: [foreign.certificate] });
  const error = await thrownBy(world.issue());
  assert.is(error instanceof CertwheelError && error.code, 'InvalidAnswer');
  assert.equal(world.journal.lines.slice(-3), ['request forgotten', 'leading', 'next removed']);
  world.ca.answer = () => undefined;
  await world.issue();
  const [first, second] = world.ca.asked;
  assert.is.not(first?.id, second?.id);
  assert.not.equal(first?.publicKey, second?.publicKey);
  assert.is(world.writes.secret, 1);
});

test('an authority that answers later must have said so', async () => {
  const world = new CertificateWorld();
  world.ca.answer = () => ({ ticket: 'T', pollAfterMs: MINUTE, message: 'later' });
  assert.match(String(await thrownBy(world.issue())), 'the key is to be kept');
  assert.is(world.store.object, undefined);
});

test('the search for private keys finds one in each form that it may be said in', async () => {
  const world = await issued();
  const { key } = bytesOf(world.store.object);
  const { d = '' } = parsePrivateKey(key).export({ format: 'jwk' });
  const body = key.split('\n').slice(1, -2).join('\n');
  const forms = [key, body, Buffer.from(key).toString('base64'), d, Buffer.from(d, 'base64url').toString('hex')];
  for (const form of [...forms, new Error('it failed', { cause: { body } }), { data: { key: body } }]) {
    const told = new Told();
    told.keep(key);
    told.say('all is well', bytesOf(world.store.object).chain[0]?.pem);
    assert.is(told.leak, undefined);
    told.say('it failed', form);
    assert.is.not(told.leak, undefined, String(form));
  }
});

test.run();
