import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FORGERIES } from '../../test/forgeries/forgeries.ts';
import { type Honest, inHours } from '../../test/forgeries/forging.ts';
import { leaf, root, signIntermediate } from '../../test/pki/make.ts';
import { type CostlyAnswer, costlyAnswers, costlyBodies } from '../../test/unit/costly-answers.ts';
import { textsOf } from '../backends/http/json-members.ts';
import { readCertificates } from '../backends/shared/read-certificates.ts';
import { type CertificateView, parseCertificate, parseCertificates } from '../pki/certificate.ts';
import { type CarriedField, proveIssued, wayToAnchor } from '../pki/chain.ts';
import { NO_NAMES } from '../pki/san.ts';

// What an authority answers is read and proven on the event loop, so no answer may cost more than its share: 100 ms on the
// machine that they were measured on, where a right one takes half a millisecond.

const TIMES_AS_DEAR = 250;
const RUNS = 5;
/** What takes less than a millisecond is measured many times at once: the system counts no finer. */
const TIMES = 200;
const CARRIES: readonly CarriedField[] = ['commonName', 'subject', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'];
const life = { notBefore: inHours(-1), notAfter: inHours(1_000) };
const top = await root(life);
const intermediate = await signIntermediate(top, life);
const right = await leaf(intermediate, {
  names: { ...NO_NAMES, dnsNames: ['client.example.com'] },
  notBefore: inHours(-0.5),
  notAfter: inHours(0.5),
});
const honest: Honest = {
  leaf: right.certificate,
  intermediate: intermediate.certificate,
  root: top.certificate,
  key: intermediate.key,
  heldSerial: '01',
};

/** What becomes of an answer, as for any authority that is a server; the problem, if there is one. */
function deal(texts: readonly string[], others: readonly CertificateView[]): string | undefined {
  const anchors = [...others, parseCertificate(top.certificate.der)];
  const { subject, names, usages, publicKeyDer, notAfter } = right.certificate;
  const expected = { subject, names, usages, publicKeyDer, notAfterLimit: notAfter, now: new Date() };
  try {
    const chain = readCertificates(texts, (why) => new Error(why));
    const problem = proveIssued({ chain, anchors, expected, carries: CARRIES })?.problem;
    if (problem === undefined) wayToAnchor(chain, anchors, expected.now);
    return problem;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Of this thread's own time, the least of several: whatever else the machine does only makes it more. */
function costMs(work: () => void): number {
  const once = () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
  return Math.min(...Array.from({ length: RUNS }, once));
}

const honestTexts = [right.certificate.pem, intermediate.certificate.pem];
const usualMs =
  costMs(() => {
    for (let times = 0; times < TIMES; times++) assert.is(deal(honestTexts, []), undefined);
  }) / TIMES;

const ANSWERS: Readonly<Record<string, CostlyAnswer>> = {
  ...Object.fromEntries(
    Object.entries(FORGERIES).map(([name, { forge }]) => [name, { texts: textsOf(forge(honest)) }]),
  ),
  ...costlyAnswers(honest),
};

let costliest = { name: 'the right one', ms: usualMs };

function judge(name: string, work: () => void): void {
  const ms = costMs(work);
  if (ms > costliest.ms) costliest = { name, ms };
  const times = Math.round(ms / usualMs);
  assert.ok(times < TIMES_AS_DEAR, `${ms.toFixed(1)} ms, ${times} times as much as a right answer`);
}

for (const [name, { texts, anchors = [] }] of Object.entries(ANSWERS)) {
  const others = anchors.flatMap((pem) => parseCertificates(pem));
  test(`${name}: costs no more than its share`, () => judge(name, () => void deal(texts, others)));
}

for (const [name, body] of Object.entries(costlyBodies(honest))) {
  const read = () => (JSON.parse(body) as { readonly certChain?: readonly unknown[] }).certChain ?? [];
  test(`a body with ${name}: costs no more than its share`, () => judge(name, () => void deal(textsOf(read()), [])));
}

test('the costliest of them', () => {
  const { name, ms } = costliest;
  console.log(`\n# costliest answer: ${name}, ${ms.toFixed(1)} ms; a right one ${usualMs.toFixed(2)} ms`);
});

test.run();
