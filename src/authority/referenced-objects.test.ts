/** What an authority refers to, with a stand-in for the watch: kubectl puts files that are not UTF-8 into binaryData. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { RawObject } from '../api/parse.ts';
import { readTrustBundle } from '../backends/shared/trust-bundle.ts';
import { readTrustSource } from '../trust-targets/sources.ts';
import { referencedObjects } from './referenced-objects.ts';

const { certificate } = await root({ commonName: 'Partner' });
const NAMESPACE = 'shop';
const NAME = 'ca';
const KEY = 'ca.crt';

const readers: Readonly<Record<string, (content: RawObject) => Promise<string>>> = {
  'a trust bundle': async (content) => {
    const deps = { ...referenced(content), objects: { namespace: NAMESPACE } as never };
    const source = { configMap: { name: NAME, key: KEY }, partialChain: false };
    return readTrustBundle(source, deps).then(
      ({ anchors }) => anchors.map(({ subjectText }) => subjectText).join(),
      ({ message }: Error) => message,
    );
  },
  'a trust source': async (content) => {
    const source = { name: 'partner', configMap: { name: NAME, key: KEY } };
    const found = await readTrustSource(source, NAMESPACE, referenced(content).configMap, undefined, new Date(0));
    return found.trouble?.message ?? (found.certificates ?? []).map(({ subjectText }) => subjectText).join();
  },
};

function referenced(content: RawObject) {
  const reference = { known: true, problem: undefined, isLeftOut: false, synced: Promise.resolve() };
  const references = { acquire: () => ({ ...reference, get: () => content, release: () => {} }) };
  return referencedObjects(NAMESPACE, { references, clock: new FakeClock(new Date(0)) }, () => {});
}

const binary = (bytes: Buffer) => ({ binaryData: { [KEY]: bytes.toString('base64') } });

for (const [what, read] of Object.entries(readers)) {
  test(`${what} in DER is refused with the command that converts it, and not as empty`, async () => {
    const message = await read(binary(certificate.der));
    assert.match(
      message,
      'ConfigMap shop/ca, key ca.crt: this is DER, not PEM; convert it with: openssl x509 -inform DER',
    );
  });

  test(`${what} in UTF-16, as PowerShell writes it, is refused as what it is`, async () => {
    assert.match(await read(binary(Buffer.from(`\ufeff${certificate.pem}`, 'utf16le'))), 'this is UTF-16');
  });

  test(`${what} in PEM below a comment in Latin-1 is read`, async () => {
    const comment = Buffer.from('# Autorité de certification\n', 'latin1');
    assert.is(await read(binary(Buffer.concat([comment, Buffer.from(certificate.pem)]))), 'O=Certwheel, CN=Partner');
  });

  test(`${what} without any bytes is empty, in data and in binaryData`, async () => {
    for (const content of [{ data: { [KEY]: '' } }, binary(Buffer.alloc(0))])
      assert.match(await read(content), 'this is empty');
  });
}

test.run();
