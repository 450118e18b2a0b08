/** Requests as OpenSSL makes them, and answers as OpenSSL and @peculiar/asn1 read them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ALL_KEYS,
  describe,
  type Holder,
  hoursFromNow,
  leaf,
  NOW,
  root,
  signIntermediate,
} from '../../test/pki/make.ts';
import { openssl, opensslFile } from '../../test/pki/openssl.ts';
import { isOfIssuer, MOST_REQUEST_BYTES, readOcspRequest } from './ocsp-request.ts';
import { type CertStatus, type OcspResponseRequest, ocspFailure, signOcspResponse } from './ocsp-response.ts';
import { signerOf } from './signer.ts';

const ca = await root();
const other = await root({ commonName: 'Another CA' });
const responder = await delegated(ca);
const STATES = {
  good: { is: 'good' },
  revoked: { is: 'revoked', at: hoursFromNow(-1), reasonCode: 1 },
  unknown: { is: 'unknown' },
} as const satisfies Readonly<Record<string, CertStatus>>;

/** OpenSSL compares certificates with the moment that it is given, and the validity of an answer with its own clock alone. */
const ATTIME = ['-attime', String(NOW.getTime() / 1000), '-validity_period', '1000000000'];

function delegated(issuer: Holder, keySpec = ALL_KEYS[0]): Promise<Holder> {
  return leaf(issuer, {
    subject: { commonName: 'OCSP' },
    usages: ['digital signature', 'ocsp signing'],
    ...(keySpec && { keySpec }),
  });
}

/** The request for these certificates of the CA, as the openssl command makes it. */
function requestFor(certificates: readonly Holder[], more: readonly string[] = [], issuer = ca): Buffer {
  const names = certificates.map((_, index) => `c${index}`);
  const files = Object.fromEntries(certificates.map(({ certificate }, index) => [`c${index}`, certificate.pem]));
  const args = ['-issuer', '{ca}', ...names.flatMap((name) => ['-cert', `{${name}}`]), '-reqout', '{out}', ...more];
  return opensslFile(['ocsp', ...args], { ca: issuer.certificate.pem, ...files });
}

async function answered(
  request: Buffer,
  statusOf: (serial: string) => CertStatus,
  change: Partial<OcspResponseRequest> = {},
): Promise<Buffer> {
  const { certificates, nonce } = readOcspRequest(request);
  return signOcspResponse({
    answers: certificates.map((id) => ({ id, status: statusOf(id.serialNumber) })),
    responder: { certificate: responder.certificate, signer: signerOf(responder.key) },
    thisUpdate: NOW,
    nextUpdate: hoursFromNow(1),
    producedAt: NOW,
    nonce,
    ...change,
  });
}

/** What the openssl command makes of the answer. */
function verdict(request: Buffer, response: Buffer, issuer = ca): string {
  const files = { ca: issuer.certificate.pem, request, response };
  const args = [
    'ocsp',
    '-issuer',
    '{ca}',
    '-CAfile',
    '{ca}',
    '-reqin',
    '{request}',
    '-respin',
    '{response}',
    '-resp_text',
  ];
  return openssl([...args, ...ATTIME], files).text;
}

for (const keySpec of ALL_KEYS)
  test(`openssl takes each answer of a responder with an ${describe(keySpec)} key`, async () => {
    const { certificate, key } = await delegated(ca, keySpec);
    const client = await leaf(ca);
    const request = requestFor([client]);
    for (const [name, status] of Object.entries(STATES)) {
      const response = await answered(request, () => status, { responder: { certificate, signer: signerOf(key) } });
      const text = verdict(request, response);
      assert.match(text, 'Response verify OK');
      assert.match(text, `Cert Status: ${name}`);
      if (name === 'revoked') assert.match(text, 'Revocation Reason: keyCompromise');
    }
  });

test('several certificates are answered in one response, by each hash that openssl asks with', async () => {
  const clients = [await leaf(ca), await leaf(ca), await leaf(ca)];
  for (const hash of ['-sha1', '-sha256', '-sha384', '-sha512']) {
    const [first, ...rest] = clients;
    if (first === undefined) throw new Error('no client');
    const request = requestFor([first, ...rest], [], ca);
    const read = readOcspRequest(request);
    assert.equal(
      read.certificates.map(({ serialNumber }) => serialNumber),
      clients.map(({ certificate }) => certificate.serialNumber),
    );
    const single = readOcspRequest(
      opensslFile(['ocsp', hash, '-issuer', '{ca}', '-cert', '{leaf}', '-reqout', '{out}'], {
        ca: ca.certificate.pem,
        leaf: first.certificate.pem,
      }),
    );
    for (const id of [...read.certificates, ...single.certificates]) {
      assert.ok(isOfIssuer(id, ca.certificate), hash);
      assert.not(isOfIssuer(id, other.certificate));
    }
  }
});

test('openssl, which has the root alone, takes the answer of a responder below an intermediate', async () => {
  const intermediate = await signIntermediate(ca);
  const { certificate, key } = await delegated(intermediate);
  const client = await leaf(intermediate);
  const request = requestFor([client], [], intermediate);
  const responder = { certificate, signer: signerOf(key) };
  const files = { ca: ca.certificate.pem };
  for (const [issuer, expected] of [
    [intermediate.certificate, 'Response verify OK'],
    [undefined, 'unable to get local issuer certificate'],
  ] as const) {
    const response = await answered(request, () => STATES.good, { responder: { ...responder, ca: issuer } });
    const args = ['ocsp', '-CAfile', '{ca}', '-reqin', '{request}', '-respin', '{response}', ...ATTIME];
    assert.match(openssl(args, { ...files, request, response }).text, expected);
  }
});

test('the nonce of a request is repeated; openssl refuses another one', async () => {
  const client = await leaf(ca);
  const request = requestFor([client]);
  const { nonce } = readOcspRequest(request);
  assert.ok(nonce && nonce.length >= 16);
  const good = verdict(request, await answered(request, () => STATES.good));
  assert.match(good, 'Response verify OK');
  assert.not.match(good, 'Nonce Verify error');
  const forged = await answered(request, () => STATES.good, { nonce: Buffer.alloc(16, 1) });
  assert.match(verdict(request, forged), 'Nonce Verify error');
  const without = requestFor([client], ['-no_nonce']);
  assert.is(readOcspRequest(without).nonce, undefined);
});

test('openssl refuses an answer by a certificate of another CA, and one without the usage', async () => {
  const client = await leaf(ca);
  const request = requestFor([client]);
  for (const wrong of [await delegated(other), await leaf(ca)]) {
    const response = await answered(request, () => STATES.good, {
      responder: { certificate: wrong.certificate, signer: signerOf(wrong.key) },
    });
    assert.match(verdict(request, response), 'Response Verify Failure');
  }
});

test('openssl reads each failure', () => {
  const says = {
    malformedRequest: 'malformedrequest',
    internalError: 'internalerror',
    tryLater: 'trylater',
    unauthorized: 'unauthorized',
  };
  for (const [failure, word] of Object.entries(says)) {
    const response = ocspFailure(failure as keyof typeof says);
    assert.match(openssl(['ocsp', '-respin', '{response}'], { response }).text, word);
  }
});

test('any bytes are read or refused with an Error, and a changed request never names another certificate by accident', () => {
  const request = requestFor([responder]);
  const changed = fc.tuple(fc.nat(request.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
    const copy = Buffer.from(request);
    copy[at] = value;
    return copy;
  });
  const cut = fc.nat(request.length - 1).map((length) => request.subarray(0, length));
  const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, cut, any), (bytes) => {
      try {
        for (const { der } of readOcspRequest(bytes).certificates) assert.ok(bytes.includes(der));
      } catch (error) {
        assert.instance(error, Error);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('a request that is too long, or for too many certificates, is refused', () => {
  assert.throws(() => readOcspRequest(Buffer.alloc(MOST_REQUEST_BYTES + 1)), /more than 16384 bytes/);
  const serials = Array.from({ length: 9 }, (_, index) => ['-serial', String(index + 1)]).flat();
  const many = opensslFile(['ocsp', '-issuer', '{ca}', ...serials, '-reqout', '{out}'], { ca: ca.certificate.pem });
  assert.throws(() => readOcspRequest(many), /9 certificates; 1 to 8 are answered/);
});

test.run();
