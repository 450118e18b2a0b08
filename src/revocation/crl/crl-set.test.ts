/** Which CRLs go into trust targets. OpenSSL, which checks every CA of the chain, decides whether that is enough. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, renewedRoot, root, signIntermediate } from '../../../test/pki/make.ts';
import { openssl } from '../../../test/pki/openssl.ts';
import { crlOf, hence, revoked } from '../../../test/unit/responder-world.ts';
import { caKeyId } from '../../pki/ca.ts';
import type { CrlView } from '../../pki/read-crl.ts';
import { crlSetOf } from './crl-set.ts';
import { readUpperCrl, upperProblems } from './upper-crls.ts';

const LIFE = { notBefore: hence(-48), notAfter: hence(480) };
const NOW = hence(0);
const top = await root(LIFE);
const below = await signIntermediate(top, LIFE);
const client = await leaf(below, { notBefore: hence(-1), notAfter: hence(24) });
const chain = [below.certificate, top.certificate];
const generations = [{ version: 1, chain }];
const [ofTop, ofBelow] = [(await crlOf([], NOW, top)).crl, (await crlOf([], NOW, below)).crl];

function verdict(crls: string): string {
  const files = { ca: top.certificate.pem, below: below.certificate.pem, client: client.certificate.pem, crls };
  const all = ['-crl_check_all', '-x509_strict', '-CAfile', '{ca}', '-untrusted', '{below}'];
  return openssl(['verify', ...all, ...(crls === '' ? [] : ['-CRLfile', '{crls}']), '{client}'], files).text;
}

test('openssl accepts a client with the CRL of every CA of its chain, and with none fewer', () => {
  const both = crlSetOf(generations, [ofTop, ofBelow], NOW);
  assert.equal([both.missing, both.covers.size], [[], 2]);
  assert.match(verdict(both.pem), ': OK');
  for (const crls of [[ofTop], [ofBelow], []]) {
    const found = crlSetOf(generations, crls, NOW);
    assert.match(verdict(found.pem), 'unable to get certificate CRL');
    assert.is(found.missing.length, 2 - crls.length);
  }
  const { missing } = crlSetOf(generations, [ofBelow], NOW);
  assert.equal(
    missing.map(({ version, ca, isUpper }) => [version, ca, isUpper]),
    [[1, top.certificate, true]],
  );
});

test('the newest CRL of a CA counts, one that has expired does not, and a CA that was renewed under its key needs no second one', async () => {
  const listing = (await crlOf([revoked(client)], hence(0.5), below)).crl;
  assert.ok((listing.number ?? 0n) > (ofBelow.number ?? 0n));
  for (const order of [
    [ofBelow, listing],
    [listing, ofBelow],
  ])
    assert.match(verdict(crlSetOf(generations, [ofTop, ...order], NOW).pem), 'certificate revoked');
  const later = new Date(ofTop.nextUpdate.getTime() + 1);
  assert.is(crlSetOf(generations, [ofTop, ofBelow], later).pem, '');
  const again = renewedRoot(top);
  const set = crlSetOf([...generations, { version: 2, chain: [again.certificate] }], [ofTop, ofBelow], NOW);
  assert.equal([set.missing, set.covers.has(caKeyId(again.certificate))], [[], true]);
  assert.is(set.pem.split('BEGIN X509 CRL').length - 1, 2);
});

const UPPER = { configMap: { name: 'root', key: 'ca.crl' } };
const reading = (data: Record<string, Buffer> | undefined, before?: Awaited<ReturnType<typeof readUpperCrl>>) =>
  readUpperCrl(UPPER, 'ns', async () => data, before);
const pem = (crl: CrlView) => Buffer.from(crlSetOf([{ version: 1, chain: [top.certificate] }], [crl], NOW).pem);

test('an upper CRL is read as PEM or DER; what is no CRL is refused and what was read before counts on', async () => {
  const asPem = await reading({ 'ca.crl': Buffer.concat([Buffer.from('# the root\n'), pem(ofTop)]) });
  const asDer = await reading({ 'ca.crl': ofTop.der });
  for (const { crls, problem } of [asPem, asDer]) {
    assert.is(problem, undefined);
    assert.ok(crls[0]?.der.equals(ofTop.der));
  }
  const bad: [Record<string, Buffer> | undefined, string][] = [
    [undefined, 'there is no such ConfigMap; write it with: kubectl create configmap -n ns root'],
    [{ other: ofTop.der }, 'there is no such key'],
    [{ 'ca.crl': Buffer.from(top.certificate.pem) }, 'no PEM block X509 CRL'],
    [{ 'ca.crl': Buffer.from('') }, 'no PEM block X509 CRL'],
    [{ 'ca.crl': ofTop.der.subarray(0, -1) }, "it can't be read as CRLs"],
    [{ 'ca.crl': Buffer.concat(Array(17).fill(pem(ofTop))) }, 'it holds 17 CRLs'],
  ];
  for (const [data, says] of bad) {
    const found = await reading(data, asPem);
    assert.match(found.problem ?? '', says);
    assert.match(found.problem ?? '', 'ConfigMap ns/root, key ca.crl: ');
    assert.equal(found.crls, asPem.crls);
    assert.equal((await reading(data)).crls, []);
  }
});

test('a CRL that has expired, was altered, or is of a CA that is in no chain, is refused with its issuer', async () => {
  const stranger = await root({ ...LIFE, commonName: 'Stranger' });
  const namesake = await root(LIFE);
  const told = async (crl: CrlView, now = NOW) => upperProblems([await reading({ 'ca.crl': crl.der })], chain, now);
  assert.equal(await told(ofTop), []);
  assert.match((await told((await crlOf([], NOW, stranger)).crl)).join(), 'CN=Stranger is not signed by a CA');
  assert.match((await told((await crlOf([], NOW, namesake)).crl)).join(), 'is not signed by a CA in the chain');
  assert.match((await told(ofTop, hence(25))).join(), 'expired at');
  const altered = Buffer.from(ofTop.der);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  assert.match((await told({ ...ofTop, der: altered })).join(), 'is not signed by');
});

test.run();
