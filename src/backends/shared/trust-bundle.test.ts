import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, leaf, root, signIntermediate } from '../../../test/pki/make.ts';
import { AuthorityError } from '../../errors.ts';
import type { Trust } from '../backend.ts';
import { readTrustBundle } from './trust-bundle.ts';

const top = await root();
const below = await signIntermediate(top, { commonName: 'Below' });
const pem = (...holders: Holder[]) => holders.map(({ certificate }) => certificate.pem).join('');

function read(text: string | undefined, partialChain = false, key = 'ca.crt'): Promise<Trust> {
  const content = async () => (text === undefined ? undefined : { 'ca.crt': Buffer.from(text) });
  const deps = { configMap: content, secret: content, objects: { namespace: 'ns' } as never };
  return readTrustBundle({ configMap: { name: 'bundle', key }, partialChain }, deps);
}

async function refusal(...given: Parameters<typeof read>): Promise<string> {
  const error = await read(...given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, AuthorityError);
  return `${(error as AuthorityError).code}: ${(error as AuthorityError).message}`;
}

const names = (list: Trust['anchors']) => list.map(({ subjectText }) => subjectText);

test('roots are anchors, and what is below them helps answers that come without it', async () => {
  const { anchors, intermediates } = await read(`# text of openssl\n${pem(below, top)}`);
  assert.equal(names(anchors), ['O=Certwheel, CN=Test CA v1']);
  assert.equal(names(intermediates), ['CN=Below']);
});

test('a bundle without a root is refused with the name of the root, unless partial chains are allowed', async () => {
  assert.match(
    await refusal(pem(below)),
    /^TrustBundleRefused: ConfigMap ns\/bundle, key ca\.crt: .*put the root O=Certwheel, CN=Test CA v1 there/,
  );
  assert.equal(names((await read(pem(below), true)).anchors), ['CN=Below']);
});

test('a leaf, a missing key, a missing object and what is no PEM are refused by their place', async () => {
  const client = await leaf(top);
  assert.match(await refusal(pem(top, client)), /key ca\.crt: "CN=client" is not a CA/);
  assert.match(await refusal(pem(top), false, 'other'), /TrustBundleNotFound: ConfigMap ns\/bundle has no key other/);
  assert.match(await refusal(undefined), /TrustBundleNotFound: there is no ConfigMap ns\/bundle/);
  assert.match(await refusal(top.certificate.der.toString('latin1')), /key ca\.crt: this is /);
});

test('what no command can mend is to be written where it was read, and never with a key', async () => {
  const write = 'kubectl create configmap -n ns bundle --from-file=ca.crt=ca.crt --dry-run=client';
  for (const text of [undefined, '', 'x', pem(top).slice(0, 200)]) {
    const message = await refusal(text);
    assert.ok(message.includes(write), message);
    assert.not.match(message, 'tls.key');
  }
  const inline = await readTrustBundle({ inline: 'x', partialChain: false }, {
    objects: { namespace: 'ns' },
  } as never).catch((error: Error) => error.message);
  assert.match(inline as string, /^trustBundle\.inline: this is not PEM.*write the CA certificates in PEM there/);
});

test.run();
