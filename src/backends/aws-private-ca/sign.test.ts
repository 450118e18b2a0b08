import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signedHeaders } from './sign.ts';

// Vectors of AWS's Signature Version 4 test suite (aws-sig-v4-test-suite), by their names there.

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const WHERE = { region: 'us-east-1', service: 'service', now: new Date('2015-08-30T12:36:00Z') };
const SESSION_TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

const VECTORS = [
  {
    name: 'get-vanilla',
    request: { method: 'GET', path: '/' },
    signed: 'host;x-amz-date',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    request: { method: 'GET', path: '/?Param2=value2&Param1=value1' },
    signed: 'host;x-amz-date',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'post-vanilla',
    request: { method: 'POST', path: '/' },
    signed: 'host;x-amz-date',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-header-key-sort',
    request: { method: 'POST', path: '/', headers: { 'my-header1': 'value1' } },
    signed: 'host;my-header1;x-amz-date',
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-x-www-form-urlencoded',
    request: {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Param1=value1',
    },
    signed: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    name: 'post-sts-header-before',
    request: { method: 'POST', path: '/' },
    sessionToken: SESSION_TOKEN,
    signed: 'host;x-amz-date;x-amz-security-token',
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
] as const;

for (const { name, request, signed, signature, ...rest } of VECTORS)
  test(`the signature of AWS's vector ${name}`, async () => {
    const keys = { ...KEYS, ...('sessionToken' in rest ? { sessionToken: rest.sessionToken } : {}) };
    const url = new URL(`https://example.amazonaws.com${request.path}`);
    const parts = { headers: {}, body: '', ...request };
    const { authorization, ...headers } = await signedHeaders({ ...parts, url }, keys, WHERE);
    assert.is(
      authorization,
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    );
    assert.is(headers['x-amz-date'], '20150830T123600Z');
    assert.is(headers.host, undefined);
  });

test.run();
