import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GoogleProtos } from './servers/google-protos.ts';

// Google's own description of its API: the fake takes and gives nothing that is not in it.

const protos = await GoogleProtos.load();
const POOL = 'https://privateca.googleapis.com/v1/projects/p/locations/l/caPools/c';
const route = (verb: string, url: string, body?: unknown) => protos.route(verb, new URL(url), body);

test('a path leads to its method, with what path, query and body hold', () => {
  assert.equal(
    route('POST', `${POOL}/certificates?certificateId=a&validateOnly=true`, { pemCsr: 'x', lifetime: '60s' }),
    {
      method: 'CreateCertificate',
      request: {
        parent: 'projects/p/locations/l/caPools/c',
        certificateId: 'a',
        validateOnly: true,
        certificate: { pemCsr: 'x', lifetime: '60s' },
      },
    },
  );
  assert.is(route('POST', `${POOL}:fetchCaCerts`, {})?.method, 'FetchCaCerts');
  assert.is(route('GET', POOL)?.method, 'GetCaPool');
  assert.is(route('POST', `${POOL}/certificates/a:revoke`, { reason: 'SUPERSEDED' })?.method, 'RevokeCertificate');
  assert.is(route('GET', `${POOL}/nothing`), undefined);
});

for (const [what, ask, says] of [
  ['a field of the body', () => route('POST', `${POOL}/certificates`, { pem_csr: 'x' }), /pem_csr is no field/],
  ['a field of the query', () => route('GET', `${POOL}/certificates?serial=1`), /serial is no field/],
  ['a value of an enum', () => route('POST', `${POOL}/certificates/a:revoke`, { reason: 'OLD' }), /no value of/],
  ['a duration', () => route('POST', `${POOL}/certificates`, { lifetime: 60 }), /60 is no/],
  ['a type', () => route('POST', `${POOL}/certificates`, { pemCsr: 1 }), /pemCsr is no string/],
  ['a field of an answer', () => protos.assertAnswer('GetCaPool', { tier: 'DEVOPS', size: 1 }), /size is no field/],
] as const)
  test(`${what} that Google does not know is refused`, () => assert.throws(ask, says));

test.run();
