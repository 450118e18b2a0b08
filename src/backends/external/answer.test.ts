import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { issueRequest } from '../../../test/unit/issue-request.ts';
import type { RawObject } from '../../api/parse.ts';
import type { Pending } from '../backend.ts';
import { answerOf } from './answer.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const SPEC = { trustBundle: { inline: '', partialChain: false } };
const request = await issueRequest();

const answer = (fields: Pick<RawObject, 'data' | 'binaryData' | 'immutable'>) => () =>
  answerOf({ metadata: { namespace: 'shop', name: 'alice-csr' }, ...fields }, request, SPEC, NOW);

test('a chain in DER, which kubectl puts into binaryData, is no reason to go on waiting in silence', () => {
  const binaryData = { 'tls.crt': Buffer.from([0x30, 0x82]).toString('base64') };
  assert.throws(answer({ binaryData }), /key tls\.crt: .*it is not text; write them in PEM: openssl x509 -inform DER/);
});

test('a chain under another key is named', () => {
  for (const fields of [{ data: { 'signed.pem': 'x' } }, { binaryData: { 'signed.pem': 'AAAA' } }]) {
    const { message } = answer(fields)() as Pending;
    assert.match(message, 'its key signed.pem is not read; the chain belongs under tls.crt');
  }
  assert.not.match((answer({ data: { 'request.csr': 'x' } })() as Pending).message, 'is not read');
});

test('a wrong answer in an immutable ConfigMap says that it must be deleted before the next one', () => {
  assert.throws(
    answer({ data: { 'tls.crt': 'x' }, immutable: true }),
    /is immutable, so delete it: kubectl delete configmap -n shop alice-csr; it is created again with the same CSR, then hand the chain in: /,
  );
});

test('a denial says how to ask again', () => {
  assert.throws(
    answer({ data: { denied: 'no ticket' } }),
    /was denied: no ticket; .*kubectl annotate ccert -n shop alice --overwrite certwheel\.io\/renew-at=/,
  );
});

test.run();
