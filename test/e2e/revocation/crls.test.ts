/** CRLs and OCSP answers of a CA whose key Certwheel holds: published on a real API server, served by the real responder. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CRL_OF_LABEL, RESPONDER_KEYS_NAME } from '../../../src/api/books-names.ts';
import { CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { isCrlOf, readCrl } from '../../../src/pki/read-crl.ts';
import { leaf, pairOf, root, serial } from '../../pki/make.ts';
import { aGeneration } from '../../unit/a-generation.ts';
import { hence, ocspVerdict, opensslSays, revoked } from '../../unit/responder-world.ts';
import { startRevocationResponder } from '../support/responder-process.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { CrlWorld } from './crl-world.ts';

const HOUR = 3_600_000;
const shared = oneWorld();
test.after(shared.stop);

async function scene() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await root({ notBefore: hence(-48), notAfter: hence(4_800) });
  const authority = new CrlWorld(world, namespace, ca);
  const maps = async () =>
    (await world.client.list(CONFIG_MAPS, { namespace, labelSelector: CRL_OF_LABEL })).items.map(
      ({ metadata }) => metadata?.name ?? '',
    );
  return { world, namespace, ca, authority, maps };
}

test('what is revoked is on the CRL at its URL, and openssl ocsp says so; an unissued serial number is unknown', async () => {
  const { world, namespace, ca, authority } = await scene();
  const responder = await startRevocationResponder(world, namespace);
  authority.url = responder.url;
  const [good, bad] = [await authority.issue(), await authority.issue()];
  const unissued = await leaf(ca, { notBefore: hence(-1), notAfter: hence(100) });
  const first = await authority.look();
  assert.equal([first.problems, first.crls.map(({ generation, entries }) => [generation, entries])], [[], [[1, 0]]]);
  authority.revoked = [revoked(bad)];
  const second = await eventually('it is listed', async () => {
    const found = await authority.look();
    return found.listed.has(bad.certificate.serialNumber) && found;
  });
  assert.ok(Number(second.crls[0]?.number) > Number(first.crls[0]?.number));
  await responder.sync();

  const { text } = await urlsOf(good.certificate.pem);
  const [, crlUrl = ''] = /URI:(\S+\.crl)/.exec(text) ?? [];
  const [, ocspUrl = ''] = /OCSP - URI:(\S+)/.exec(text) ?? [];
  assert.is(crlUrl, `${responder.url}/crl/${authority.uid}/v1.crl`);
  const fetched = await eventually('the CRL lists it', async () => {
    const { body, status } = await responder.ask(new URL(crlUrl).pathname);
    return status === 200 && readCrl(body).size === 1 && body;
  });
  const files = {
    ca: ca.certificate.pem,
    crl: toPem('X509 CRL', fetched),
    good: good.certificate.pem,
    bad: bad.certificate.pem,
  };
  const verify = ['verify', '-crl_check', '-x509_strict', '-CAfile', 'ca', '-CRLfile', 'crl'];
  assert.match(await opensslSays(files, [...verify, 'good']), 'good: OK');
  assert.match(await opensslSays(files, [...verify, 'bad']), 'certificate revoked');
  // OpenSSL fetches the CRL from the URL in the certificate.
  const download = ['verify', '-crl_check', '-crl_download', '-CAfile', 'ca'];
  assert.match(await opensslSays(files, [...download, 'good']), 'good: OK');
  assert.match(await opensslSays(files, [...download, 'bad']), 'certificate revoked');
  const verdict = await eventually('the keys are read', async () => {
    const said = await ocspVerdict(ocspUrl, [good, bad, unissued], [], ca);
    return said.includes('Response verify OK') && said;
  });
  const statuses = [...verdict.matchAll(/Cert Status: (\w+)/g)].map(([, status]) => status);
  assert.equal(statuses, ['good', 'revoked', 'unknown']);
  assert.ok(responder.isRunning());
});

async function urlsOf(certificate: string) {
  return { text: await opensslSays({ certificate }, ['x509', '-in', 'certificate', '-noout', '-text']) };
}

test('a long CRL is in several ConfigMaps, and a reader has a whole one at every moment', async () => {
  const { world, namespace, ca, authority, maps } = await scene();
  const responder = await startRevocationResponder(world, namespace);
  const many = () =>
    Array.from({ length: 30_000 }, () => ({
      serialNumber: serial().toString('hex'),
      revokedAt: hence(-1),
      reason: 'superseded' as const,
      notAfter: hence(100),
    }));
  authority.revoked = many();
  const { crls, problems } = await authority.look();
  assert.equal([crls[0]?.entries, problems], [30_000, []]);
  assert.is((await maps()).length, 3);
  const path = `/crl/${authority.uid}/v1.crl`;
  await eventually('it is served', async () => (await responder.ask(path)).status === 200);
  authority.revoked = authority.revoked.slice(0, 10).concat(many().slice(0, 5));
  authority.aheadMs = HOUR;
  let isDone = false;
  const sizes = new Set<number>();
  const reading = (async () => {
    while (!isDone || sizes.size < 2) {
      const { status, body } = await responder.ask(path);
      assert.is(status, 200);
      const crl = readCrl(body);
      assert.ok(isCrlOf(crl, ca.certificate));
      sizes.add(crl.size);
    }
  })();
  await authority.look();
  isDone = true;
  await reading;
  assert.equal([...sizes], [30_000, 15]);
  assert.equal(await maps(), [`certwheel-crl-${authority.uid}-v1`]);
});

test('a CRL that is deleted or altered comes back with a higher number, also after the clock was set back', async () => {
  const { world, namespace, authority, maps } = await scene();
  const numberOf = async () => BigInt((await authority.look()).crls[0]?.number ?? 0);
  let former = await numberOf();
  const [name = ''] = await maps();
  await world.client.delete(CONFIG_MAPS, namespace, name);
  authority.aheadMs = HOUR / 10;
  assert.ok((await numberOf()) > former);
  assert.equal(await maps(), [name]);
  const changes = [{ binaryData: { crl: 'AAAA' } }, { metadata: { labels: { [CRL_OF_LABEL]: 'another' } } }];
  for (const change of changes) {
    former = await numberOf();
    await world.cluster.kubectl(['patch', 'configmap', name, '-n', namespace, '-p', JSON.stringify(change)]);
    authority.aheadMs -= HOUR;
    assert.ok((await numberOf()) > former, JSON.stringify(change));
    assert.equal(await maps(), [name]);
  }
});

test('the next CRL is signed at half of its life, and the key for OCSP answers is replaced then', async () => {
  const { world, namespace, authority } = await scene();
  const certificate = async () =>
    (await world.client.get(SECRETS, namespace, RESPONDER_KEYS_NAME))?.data?.[`${authority.uid}-v1.crt`];
  const first = await authority.look();
  const before = await certificate();
  authority.aheadMs = 80 * HOUR;
  assert.equal((await authority.look()).crls, first.crls);
  assert.is(await certificate(), before);
  authority.aheadMs = 85 * HOUR;
  const next = await authority.look();
  assert.ok(Number(next.crls[0]?.number) > Number(first.crls[0]?.number));
  assert.is.not(await certificate(), before);
  assert.ok(next.recheckAt && next.recheckAt.getTime() < authority.clock.now().getTime() + HOUR);
});

test('two writers come to one CRL, and numbers never decrease', async () => {
  const { authority, maps } = await scene();
  const other = authority.another();
  const numbers: bigint[] = [];
  for (let round = 1; round <= 5; round += 1) {
    authority.aheadMs += HOUR;
    authority.revoked = [...authority.revoked, revoked(await authority.issue())];
    await Promise.all([authority.look(), authority.look(other)]);
    authority.aheadMs += HOUR;
    const { crls } = await authority.look(round % 2 === 0 ? other : undefined);
    assert.is(crls[0]?.entries, round);
    numbers.push(BigInt(crls[0]?.number ?? 0));
  }
  assert.equal(numbers, [...new Set(numbers)].sort());
  assert.is((await maps()).length, 1);
});

test('the CRL of a generation that is retired goes, and with the authority all of it', async () => {
  const { world, namespace, authority, maps } = await scene();
  const next = await root({ commonName: 'Test CA v2', notBefore: hence(-1), notAfter: hence(4_800) });
  const [first] = authority.generations;
  if (first === undefined) throw new Error('no generation');
  authority.generations = [first, aGeneration(2, 'Prepared', pairOf(next))];
  assert.equal(
    (await authority.look()).crls.map(({ generation }) => generation),
    [1, 2],
  );
  authority.generations = authority.generations.slice(1);
  assert.equal(
    (await authority.look()).crls.map(({ generation }) => generation),
    [2],
  );
  assert.equal(await maps(), [`certwheel-crl-${authority.uid}-v2`]);
  const keys = async () =>
    Object.keys((await world.client.get(SECRETS, namespace, RESPONDER_KEYS_NAME))?.data ?? {}).sort();
  assert.equal(
    await keys(),
    ['crt', 'key', 'serial-key'].map((kind) => `${authority.uid}-v2.${kind}`),
  );
  await authority.crls.withdraw(authority.uid);
  assert.equal([await maps(), await keys()], [[], []]);
});

test('a CA without the key usage for CRLs, and one whose purposes forbid OCSP answers, is a finding', async () => {
  const { authority } = await scene();
  const [first] = authority.generations;
  if (first === undefined) throw new Error('no generation');
  const { certificate } = first.path;
  const withUsages = (usages: readonly string[]) => {
    const changed = { ...certificate, usages };
    authority.generations = [{ ...first, path: { ...first.path, certificate: changed, chain: [changed] } }];
  };
  withUsages(certificate.usages.filter((each) => each !== 'crl sign'));
  assert.match((await authority.look()).problems.join(), /CA generation 1 may not sign a CRL: .*cRLSign/);
  withUsages([...certificate.usages, 'client auth']);
  assert.match((await authority.look()).problems.join(), /CA generation 1 can't have an OCSP responder: /);
});

test('a Secret of that name that is not ours is left as it is, and the finding names it', async () => {
  const { world, namespace, authority } = await scene();
  const theirs = { metadata: { namespace, name: RESPONDER_KEYS_NAME }, data: { password: 'aGVsbG8=' } };
  await world.client.create(SECRETS, theirs);
  const { problems, crls } = await authority.look();
  assert.match(problems.join(), `Secret ${namespace}/certwheel-responder, and that Secret isn't Certwheel's`);
  assert.is(crls.length, 1);
  assert.equal((await world.client.get(SECRETS, namespace, RESPONDER_KEYS_NAME))?.data, theirs.data);
});

test('an authority without spec.revocation costs nothing', async () => {
  const { authority, maps } = await scene();
  const { revocation: _, ...spec } = authority.resource;
  const resource = { ...spec, revocation: { ...authority.resource.revocation, keepsCrl: false, url: undefined } };
  const runtime = { generations: authority.generations, backend: {} as never };
  const found = await authority.crls.look(resource, runtime, () => []);
  assert.equal([found.crls, found.problems, found.recheckAt], [[], [], undefined]);
  assert.equal(await maps(), []);
});

test.run();
