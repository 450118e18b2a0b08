import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { stopAll } from '../../../test/teardown.ts';
import { failure, issuer, json, serving, signal } from '../../../test/unit/authority-server.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import type { CloudflareMTLS } from '../../api/generated/types.ts';
import { CloudflareTarget } from './target.ts';

test.after(stopAll);

const ZONE = '023e105f4ecef8ad9ca31a8372d0c353';
const LARGE = Array.from({ length: 900 }, (_, index) => `${index}.${'x'.repeat(200)}.example`);

test('a server that lists many CA certificates with many hostnames each is not read to its end', async () => {
  const ca = await root();
  const certificates = ca.certificate.pem;
  const uploads = Array.from({ length: 200 }, (_, index) => ({ id: `${index}`, name: '', ca: true, certificates }));
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  await serving(
    ({ url = '' }, response) => {
      const result = url.includes('hostname_associations') ? { hostnames: LARGE } : uploads;
      json(response, 200, { success: true, errors: [], messages: [], result });
    },
    async ({ url, seen }) => {
      const spec: CloudflareMTLS = {
        ...{ account: ZONE, zone: ZONE, hostnames: [], maxCertificates: 5, server: url },
        apiTokenSecretRef: { name: 'token', key: 'token' },
        caBundle: Buffer.from(issuer.certificatePem).toString('base64'),
      };
      const objects = { namespace: 'shop' } as ConstructorParameters<typeof CloudflareTarget>[1]['objects'];
      const target = new CloudflareTarget(spec, {
        ...{ objects, log, name: 'shop/ca', clusterWide: false, addresses: { loopback: true } },
        clock: new FakeClock(new Date('2026-06-01T12:00:00Z')),
        secret: async () => ({ token: Buffer.from('token') }),
      });
      const error = await failure(target.read(signal));
      assert.is(error.code, 'InvalidAnswer');
      assert.match(error.message, 'too many hostnames');
      assert.ok(seen.length < 10, `${seen.length} requests`);
      assert.is(target.state, undefined);
    },
  );
});

test.run();
