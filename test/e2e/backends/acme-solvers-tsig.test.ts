import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLASS, decodeMessage, encodeUpdate, TYPE, textData } from '../../../src/backends/acme/solvers/dns/message.ts';
import { encodeName } from '../../../src/backends/acme/solvers/dns/name.ts';
import {
  readTsig,
  signMessage,
  TSIG_ALGORITHMS,
  type TsigAlgorithm,
  type TsigKey,
  tsigProblem,
} from '../../../src/backends/acme/solvers/dns/tsig.ts';
import { available, unavailable } from '../../interop/support/available.ts';
import { askDnspython, dnspythonFolder } from './dnspython.ts';

// Python's dnspython decides about our signatures, and signs answers for us.

const RUNS = 300;
const folder = await available('dnspython', () => dnspythonFolder().catch(unavailable));

const label = fc.stringMatching(/^[a-zA-Z0-9]([-a-zA-Z0-9]{0,20}[a-zA-Z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((each) => Buffer.from(each));

const key: fc.Arbitrary<TsigKey> = fc.record({
  name,
  algorithm: fc.constantFrom(...(Object.keys(TSIG_ALGORITHMS) as TsigAlgorithm[])),
  secret: bytes(1, 200),
});
const update = fc
  .record({
    zone: name,
    host: label,
    value: fc.base64String({ maxLength: 200 }),
    isAdded: fc.boolean(),
    id: fc.nat(65_535),
  })
  .map(({ zone, host, value, isAdded, id }) =>
    encodeUpdate(id, zone, [
      {
        name: `_acme-challenge.${host}.${zone}`,
        type: TYPE.TXT,
        class: isAdded ? CLASS.IN : CLASS.NONE,
        ttl: isAdded ? 60 : 0,
        data: textData(value),
      },
    ]),
  );

if (folder !== undefined) {
  test('dnspython accepts every update that we sign, and we every answer that it signs', async () => {
    const seed = Number(process.env.SEED) || Date.now();
    console.log(`# SEED=${seed}`);
    const cases = fc
      .sample(fc.record({ key, update, now: fc.integer({ min: 1, max: 2 ** 40 }) }), { seed, numRuns: RUNS })
      .map((each) => ({ ...each, signed: signMessage(each.update, each.key, each.now) }));
    const answers = await askDnspython(
      folder,
      cases.map(({ key: { name: keyName, algorithm, secret }, now, signed }) => ({
        keyName,
        algorithm: TSIG_ALGORITHMS[algorithm].name,
        secret: secret.toString('hex'),
        now,
        request: signed.bytes.toString('hex'),
      })),
    );
    assert.is(answers.length, RUNS);
    for (const [index, { refusal, answer }] of answers.entries()) {
      const asked = cases[index];
      assert.ok(asked);
      const { key: used, now, signed } = asked;
      assert.is(refusal, '', `case ${index}`);
      const wire = Buffer.from(answer, 'hex');
      const message = decodeMessage(wire);
      const tsig = readTsig(message);
      assert.ok(tsig, `case ${index}`);
      const canonical = { ...used, name: used.name.toLowerCase() };
      assert.is(tsigProblem(wire, message, tsig, canonical, signed.mac, now), undefined, `case ${index}`);
    }
  });

  test('dnspython refuses an update of which one byte was changed', async () => {
    const used: TsigKey = { name: 'certwheel', algorithm: 'HMACSHA256', secret: Buffer.alloc(32, 1) };
    const [plain] = fc.sample(update, { seed: 1, numRuns: 1 });
    assert.ok(plain);
    const { bytes: good } = signMessage(plain, used, 1_000);
    // Behind the name, the type and the class of the TSIG is its TTL, which dnspython doesn't look at.
    const ttlAt = (decodeMessage(good).tsigOffset ?? 0) + encodeName(used.name).length + 4;
    const places = [...good.keys()].slice(2).filter((at) => at < ttlAt || at >= ttlAt + 4);
    const broken = places.map((at) => {
      const copy = Buffer.from(good);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    });
    const about = { keyName: 'certwheel', algorithm: 'hmac-sha256', secret: used.secret.toString('hex'), now: 1_000 };
    const answers = await askDnspython(
      folder,
      [good, ...broken].map((each) => ({ ...about, request: each.toString('hex') })),
    );
    assert.is(answers[0]?.refusal, '');
    assert.equal(
      answers.slice(1).flatMap(({ refusal }, index) => (refusal === '' ? [places[index]] : [])),
      [],
    );
  });
}

test.run();
