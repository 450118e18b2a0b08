import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serverCA } from '../../test/unit/probed.ts';
import type { RawObject } from '../api/parse.ts';
import { readServerCA } from './server-ca.ts';

const PEM = serverCA.certificatePem;

function read(pem: string) {
  const get = async () => ({ data: { 'ca.crt': pem } }) as RawObject;
  return readServerCA({ configMap: { name: 'server-ca', key: 'ca.crt' } }, 'shop', { get } as never);
}

test('a bundle as large as that of all public CAs is read', async () => {
  assert.equal(await read(PEM.repeat(200)), { pem: PEM.repeat(200) });
});

test('more is refused, since each round would read it several times', async () => {
  for (const pem of [PEM.repeat(201), PEM + '#'.repeat(500_000)]) {
    const found = await read(pem);
    const problem = 'problem' in found ? found.problem : 'none';
    assert.match(problem, /^serverCA: ConfigMap shop\/server-ca, key ca\.crt: it has \d+ certificates in \d+ bytes, /);
    assert.match(problem, 'leave in it the CAs of the server alone');
  }
});

test.run();
