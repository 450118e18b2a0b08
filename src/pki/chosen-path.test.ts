import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ca, lower, pem, read, refuses, stranger, upper } from '../../test/pki/ca-files.ts';
import { type Holder, hoursFromNow, signIntermediate } from '../../test/pki/make.ts';
import { dirName, extension, nameConstraints, policyMappings } from '../../test/pki/write-extensions.ts';
import { octetString } from './asn1/write.ts';
import { caBasicConstraints, usageExtensions } from './extensions.ts';
import { MAX_CHAIN } from './path-search.ts';

const AS_CA = [caBasicConstraints(), ...usageExtensions(['cert sign', 'crl sign'])];
const REFUSED = new Map([
  ['CRL distribution points', extension('2.5.29.31', octetString(Buffer.of(0)), true)],
  ['unknown critical extension', extension('1.2.3.4', octetString(Buffer.of(0)), true)],
  ['DirName:CN=zoo', nameConstraints({ excluded: [dirName({ commonName: 'zoo' })] })],
  ['maps anyPolicy', policyMappings([['2.5.29.32.0', '1.2.3']])],
]);

/** Certificates for the key of `holder`; of later ones the end is nearer. */
function certified(issuer: Holder, holder: Holder, commonName: string, ends: number[], extensions: readonly Buffer[]) {
  return Promise.all(
    ends.map((hours) =>
      signIntermediate(issuer, { commonName, key: holder.key, notAfter: hoursFromNow(hours), extensions }),
    ),
  );
}

const many = Array.from({ length: 18 }, (_, index) => 800 - index);
const topOf = async (signer: Holder, crt: string) =>
  (await read(signer, { crt, roots: pem(ca, stranger) })).anchor.subjectText;

for (const [what, refused] of REFUSED) {
  test(`${what}: after any number of refused paths the good one is found`, async () => {
    const bad = await certified(ca, upper, 'Upper', many, [...AS_CA, refused]);
    const good = await certified(stranger, upper, 'Upper', [600], AS_CA);
    assert.is(await topOf(lower, pem(lower, ...bad, ...good)), stranger.certificate.subjectText);
    await refuses('BrokenChain', what, lower, { crt: pem(lower, ...bad), roots: pem(ca, stranger) });
  });

  test(`${what}: after any number of refused certificates of the signer the good one is found`, async () => {
    const [first] = await certified(ca, upper, 'Upper', [900], [...AS_CA, refused]);
    assert.ok(first);
    const bad = await certified(first, lower, 'Lower', many, AS_CA);
    const good = await certified(stranger, lower, 'Lower', [600], AS_CA);
    const crt = pem(...bad, ...good, first);
    assert.is(await topOf(lower, crt), stranger.certificate.subjectText);
  });
}

test('the many paths of one certificate leave effort for another', async () => {
  const [middle] = await certified(ca, upper, 'Middle', [900], AS_CA);
  assert.ok(middle);
  const refused = [...AS_CA, extension('1.2.3.4', octetString(Buffer.of(0)), true)];
  const middles = await certified(ca, upper, 'Middle', many, refused);
  const uppers = await certified(middle, stranger, 'Wide', many, AS_CA);
  const [wide] = uppers;
  assert.ok(wide);
  const [long] = await certified(wide, lower, 'Lower', [700], AS_CA);
  const [short] = await certified(ca, lower, 'Lower', [600], AS_CA);
  assert.ok(long && short);
  const pair = await read(lower, { crt: pem(long, short, ...middles), roots: pem(ca, ...uppers) });
  assert.is(pair.chain.length, 2);
});

test('a path too long for a leaf gives way to a shorter one that ends sooner', async () => {
  const above: Holder[] = [ca];
  while (above.length < MAX_CHAIN - 1) {
    const [top = ca] = above;
    above.unshift(await signIntermediate(top, { commonName: `Step ${above.length}`, notAfter: hoursFromNow(800) }));
  }
  const [last = ca] = above;
  const [long] = await certified(last, lower, 'Lower', [700], AS_CA);
  const [short] = await certified(ca, lower, 'Lower', [600], AS_CA);
  assert.ok(long && short);
  assert.is((await read(lower, { crt: pem(long, short, ...above) })).chain.length, 2);
  await refuses('UnfitForClients', 'no verifier would accept', lower, { crt: pem(long, ...above) });
});

test.run();
