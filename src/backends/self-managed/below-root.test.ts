import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, NOW, root } from '../../../test/pki/make.ts';
import { Cluster } from '../../../test/unit/below-root-cluster.ts';
import type { RawObject } from '../../api/parse.ts';
import { CertwheelError } from '../../errors.ts';
import { csrName } from '../external/csr-manifest.ts';

test('no ClientCertificate, and no authority of the other kind, has a ConfigMap of the same name', async () => {
  const named = new Set<string>();
  for (const clusterWide of [false, true]) {
    const cluster = await aCluster();
    assert.is(await codeOf(cluster.process({}, { clusterWide })(undefined, 1)), 'CAUnsigned');
    named.add(cluster.map?.metadata?.name ?? '');
  }
  assert.equal([...named], ['ca-ca-request', 'ca-clusterca-request']);
  for (const name of ['ca-ca', 'ca-clusterca', 'ca-ca-request']) assert.not(named.has(csrName({ name })));
});

const aCluster = async () => new Cluster(await root({ commonName: 'Offline Root' }));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof CertwheelError ? error.code : String(error);
  }
}

test('a process that ends after its key was stored is followed by one with the same key', async () => {
  const cluster = await aCluster();
  cluster.failsOnce = true;
  assert.match(await codeOf(cluster.process()(undefined, 1)), 'the process ends here');
  const key = cluster.kept?.data['ca.key'];
  const next = cluster.process();
  assert.is(await codeOf(next(undefined, 1)), 'CAUnsigned');
  assert.equal(cluster.kept?.data['ca.key'], key);
  cluster.sign();
  const pair = await next(undefined, 1);
  assert.is(pair.certificate.subjectText, 'CN=Demo v1');
  assert.is(pair.anchor.fingerprintSHA256, cluster.top.certificate.fingerprintSHA256);
});

test('the same is answered until the pair is a generation, and then nothing is left, after a restart too', async () => {
  const cluster = await aCluster();
  const process = cluster.process();
  await codeOf(process(undefined, 1));
  cluster.sign();
  const pair = await process(undefined, 1);
  assert.is((await process(undefined, 1)).id, pair.id);
  assert.is(cluster.made, 1);
  const restarted = cluster.process();
  assert.is(await restarted(pair, 2), pair);
  assert.equal([cluster.map, cluster.kept?.data], [undefined, {}]);
});

test('of two processes that store a key at once, one fails, and then goes on with the key of the other', async () => {
  const cluster = await aCluster();
  const [one, other] = [cluster.process(), cluster.process()];
  const codes = await Promise.all([codeOf(one(undefined, 1)), codeOf(other(undefined, 1))]);
  assert.ok(codes.includes('CAUnsigned'), `${codes}`);
  for (const each of [one, other]) assert.is(await codeOf(each(undefined, 1)), 'CAUnsigned');
  assert.is(cluster.made, 1);
});

test('a certificate that is dated back does not have another CA requested', async () => {
  const cluster = await aCluster();
  const process = cluster.process();
  await codeOf(process(undefined, 1));
  cluster.sign(new Date(NOW.getTime() - HOUR / 2));
  const pair = await process(undefined, 1);
  // The rotation was asked for after that moment, so that the latest CA is said to be none.
  cluster.trusted = [pair];
  assert.is((await process(undefined, 2)).id, pair.id);
  assert.is(cluster.made, 1);
  // The wish stays on the authority, and must not keep the CA without a successor.
  await cluster.clock.advance(601 * HOUR);
  assert.is(await codeOf(process(undefined, 2)), 'CAUnsigned');
  assert.is(cluster.made, 2);
});

test('a successor is requested when two thirds of the life are over, and when another root is to be trusted', async () => {
  const cluster = await aCluster();
  const process = cluster.process();
  await codeOf(process(undefined, 1));
  cluster.sign();
  const pair = await process(undefined, 1);
  await cluster.clock.advance(599 * HOUR);
  assert.is(await process(pair, 2), pair);
  await cluster.clock.advance(2 * HOUR);
  assert.is(await codeOf(process(pair, 2)), 'CAUnsigned');
  const moved = new Cluster(await root({ commonName: 'Other Root' }));
  assert.is(await codeOf(moved.process()(pair, 2)), 'CAUnsigned');
});

test('a trust bundle that is swapped between two roots does not have a CA key generated at each swap', async () => {
  const cluster = await aCluster();
  await codeOf(cluster.process()(undefined, 1));
  cluster.sign();
  const pair = await cluster.process()(undefined, 1);
  const own = cluster.top.certificate.pem;
  const other = (await root({ commonName: 'Other Root' })).certificate.pem;
  const process = cluster.process({
    externalRoot: { trustBundle: { configMap: { name: 'roots', key: 'ca.crt' }, partialChain: false } },
  });
  const keys = new Set<string>();
  const swap = async () => {
    cluster.roots = other;
    const code = await codeOf(process(pair, 2));
    keys.add(`${cluster.kept?.data['ca.key']}`);
    cluster.roots = own;
    assert.is(await process(pair, 2), pair);
    return code;
  };
  const codes: string[] = [];
  for (let count = 0; count < 6; count++) codes.push(await swap());
  assert.equal(codes, [...Array(3).fill('CAUnsigned'), ...Array(3).fill('TooManyChanges')]);
  assert.is(keys.delete('undefined'), true, 'what was asked for first is forgotten');
  assert.is(keys.size, 3);
  await cluster.clock.advance(10_000);
  assert.is(await swap(), 'CAUnsigned');
});

test('another key or another number has another CSR; another duration has not', async () => {
  const cluster = await aCluster();
  await codeOf(cluster.process()(undefined, 1));
  await codeOf(cluster.process({ duration: '8760h' })(undefined, 1));
  assert.is(cluster.made, 1);
  await codeOf(cluster.process()(undefined, 2));
  assert.is(cluster.made, 2);
  await codeOf(cluster.process({ privateKey: { algorithm: 'Ed25519' } })(undefined, 2));
  assert.is(cluster.made, 3);
});

test('without externalRoot the CSR is withdrawn and its key forgotten, once that is possible, and a root is made', async () => {
  const cluster = await aCluster();
  await codeOf(cluster.process()(undefined, 1));
  assert.ok(cluster.map);
  cluster.isAway = true;
  const process = cluster.process({}, { isBelowRoot: false });
  const pair = await process(undefined, 1);
  assert.is(pair.anchor, pair.certificate);
  assert.ok(cluster.map);
  cluster.isAway = false;
  assert.is(await process(pair, 2), pair);
  assert.equal([cluster.map, cluster.kept?.data], [undefined, {}]);
  const key = cluster.kept;
  await codeOf(cluster.process()(undefined, 2));
  assert.is.not(cluster.kept, key, 'added again, it has another key');
});

test('a chain in DER is refused, and a CA under another key is named', async () => {
  const messageOf = async (content: Pick<RawObject, 'data' | 'binaryData'>) => {
    const cluster = await aCluster();
    await codeOf(cluster.process()(undefined, 1));
    cluster.map = { ...cluster.map, ...content, data: { ...cluster.map?.data, ...content.data } };
    return cluster.process()(undefined, 1).then(String, String);
  };
  assert.match(await messageOf({ binaryData: { 'tls.crt': 'MII=' } }), 'openssl x509 -inform DER');
  assert.match(await messageOf({ data: { 'ca.pem': 'x' } }), 'its key ca.pem is not read');
});

test.run();
