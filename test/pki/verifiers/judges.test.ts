import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { caBasicConstraints, usageExtensions } from '../../../src/pki/extensions.ts';
import { lazily } from '../../e2e/support/lazily.ts';
import { type Holder, hoursFromNow, leaf, NOW, root, signIntermediate } from '../make.ts';
import { type JudgeRequest, startJudges, type Verdicts } from './judges.ts';

const judges = lazily(startJudges);
test.after(judges.stop);

const top = await root();
const middle = await signIntermediate(top);
const bottom = await signIntermediate(middle, { commonName: 'Lower Intermediate' });
const client = await leaf(bottom);
const ders = (...holders: readonly Holder[]) => holders.map(({ certificate }) => certificate.der);
const request: JudgeRequest = {
  leaf: client.certificate.der,
  intermediates: ders(bottom, middle),
  anchors: ders(top),
  at: NOW,
};

async function ask(change: Partial<JudgeRequest>): Promise<Verdicts> {
  return (await judges.get()).judge({ ...request, ...change });
}

const ALL_ACCEPT: Verdicts = { openssl: null, opensslStrict: null, go: null, java: null };

function refuses(verdicts: Verdicts, expected: Readonly<Record<'openssl' | 'go' | 'java', RegExp>>): void {
  for (const name of ['openssl', 'go', 'java'] as const) assert.match(verdicts[name] ?? 'accepted', expected[name]);
}

test('all judges accept a path in order, out of order, and with strangers in it', async () => {
  const stranger = await root({ commonName: 'Stranger' });
  assert.equal(await ask({}), ALL_ACCEPT);
  assert.equal(await ask({ intermediates: ders(middle, bottom) }), ALL_ACCEPT);
  assert.equal(await ask({ intermediates: ders(stranger, bottom, middle), anchors: ders(stranger, top) }), ALL_ACCEPT);
});

test('each judge says why it refuses: an anchor or an intermediate is missing', async () => {
  refuses(await ask({ anchors: [] }), { openssl: /issuer cert/, go: /unknown authority/, java: /anchor/i });
  refuses(await ask({ intermediates: ders(bottom) }), {
    openssl: /issuer cert/,
    go: /unknown authority/,
    java: /unable to find valid certification path/,
  });
});

test('the given time decides and not the clock', async () => {
  refuses(await ask({ at: hoursFromNow(25) }), { openssl: /expired/, go: /expired/, java: /NotAfter/ });
  refuses(await ask({ at: hoursFromNow(-2) }), { openssl: /not yet valid/, go: /not yet valid/, java: /NotBefore/ });
});

test('a leaf for clients alone is refused where servers are asked for, and the other way round', async () => {
  refuses(await ask({ serverAuth: true }), {
    openssl: /unsuitable certificate purpose|unsupported certificate purpose/,
    go: /incompatible key usage/,
    java: /serverAuth|server authentication/i,
  });
  const server = await leaf(bottom, { usages: ['digital signature', 'server auth'] });
  refuses(await ask({ leaf: server.certificate.der }), {
    openssl: /unsuitable certificate purpose|unsupported certificate purpose/,
    go: /incompatible key usage/,
    java: /clientAuth|client authentication/i,
  });
});

test('only Java accepts an intermediate for servers alone above a leaf for clients', async () => {
  const extensions = [caBasicConstraints(), ...usageExtensions(['cert sign', 'server auth'])];
  const ca = await signIntermediate(top, { extensions });
  const verdicts = await ask({ leaf: (await leaf(ca)).certificate.der, intermediates: ders(ca) });
  assert.is(verdicts.java, null);
  assert.ok(verdicts.openssl !== null && verdicts.go !== null);
});

test('strict OpenSSL alone refuses a CA without key usage', async () => {
  const ca = await signIntermediate(top, { extensions: [caBasicConstraints()] });
  const { opensslStrict, ...others } = await ask({ leaf: (await leaf(ca)).certificate.der, intermediates: ders(ca) });
  assert.equal(others, { openssl: null, go: null, java: null });
  assert.match(opensslStrict ?? 'accepted', /CA cert does not include key usage extension/);
});

test('bytes that are no certificate are refused by each judge, and the next question is answered', async () => {
  const junk = Buffer.from('not a certificate');
  refuses(await ask({ leaf: junk }), { openssl: /unreadable/, go: /unreadable/, java: /unreadable/ });
  refuses(await ask({ intermediates: [junk] }), { openssl: /unreadable/, go: /unreadable/, java: /unreadable/ });
  assert.equal(await ask({}), ALL_ACCEPT);
});

test('a thousand questions at once are each answered with their own verdict', async () => {
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) => ask(index % 3 === 0 ? { anchors: [] } : {})),
  );
  for (const [index, { openssl, go, java }] of answers.entries()) {
    const isAccepted = index % 3 !== 0;
    assert.equal([openssl === null, go === null, java === null], [isAccepted, isAccepted, isAccepted]);
  }
});

test.run();
