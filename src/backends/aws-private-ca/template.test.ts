import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Identity } from '../../api/client-certificate.ts';
import { NO_NAMES } from '../../pki/san.ts';
import { parseCaArn } from './arn.ts';
import { passthroughOf, templateOf } from './template.ts';

const CA = parseCaArn('arn:aws-cn:acm-pca:cn-north-1:111122223333:certificate-authority/1');
const named = (name: string) => templateOf(`arn:aws:acm-pca:::template/${name}/V1`, CA);
const asking = (...usages: string[]): Identity => ({ subject: {}, names: NO_NAMES, usages });

test('by default it is the one that takes usages from the CSR, of the partition of the CA', () => {
  const template = templateOf(undefined, CA);
  assert.is(template.arn, 'arn:aws-cn:acm-pca:::template/BlankEndEntityCertificate_APICSRPassthrough/V1');
  assert.is(passthroughOf(template, asking('digital signature', 'client auth', 'ipsec user')), undefined);
});

test('where the CSR is ignored, the API call has every usage that AWS has a word for', () => {
  const blank = named('BlankEndEntityCertificate_CriticalBasicConstraints_APIPassthrough');
  const usages = ['signing', 'content commitment', 'client auth', 's/mime', 'timestamping'];
  assert.equal(passthroughOf(blank, asking(...usages)), {
    Extensions: {
      KeyUsage: { NonRepudiation: true, DigitalSignature: true },
      ExtendedKeyUsage: ['CLIENT_AUTH', 'EMAIL_PROTECTION', 'TIME_STAMPING'].map((ExtendedKeyUsageType) => ({
        ExtendedKeyUsageType,
      })),
    },
  });
  assert.throws(() => passthroughOf(blank, asking('digital signature', 'any')), /has no word for the usage any/);
});

test('a template with usages of its own carries these alone, in whatever variant', () => {
  const tls = ['key encipherment', 'client auth', 'digital signature'];
  for (const variant of ['', '_CSRPassthrough', '_APIPassthrough', '_APICSRPassthrough']) {
    const client = named(`EndEntityClientAuthCertificate${variant}`);
    assert.is(passthroughOf(client, asking(...tls)), undefined);
    assert.throws(() => passthroughOf(client, asking('client auth', 'digital signature')), /lacks key encipherment/);
    assert.throws(() => passthroughOf(client, asking(...tls, 'server auth')), /also has server auth/);
    const both = named(`EndEntityCertificate${variant}`);
    assert.is(passthroughOf(both, asking(...tls, 'server auth')), undefined);
    assert.throws(() => passthroughOf(both, asking(...tls)), /lacks server auth/);
  }
});

test.run();
