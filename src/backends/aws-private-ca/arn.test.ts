import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isCertificateOf, parseCaArn, publicEndpoint, stsServer } from './arn.ts';

const ARN = 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1-2';

test('the region and the partition of an ARN choose the endpoint', () => {
  const endpointOf = (partition: string, region: string) =>
    publicEndpoint(
      parseCaArn(ARN.replace('aws', partition).replace('eu-central-1', region)),
      'acm-pca',
      'awsPrivateCA.endpoint',
    );
  assert.is(endpointOf('aws', 'eu-central-1'), 'https://acm-pca.eu-central-1.amazonaws.com');
  assert.is(endpointOf('aws-cn', 'cn-north-1'), 'https://acm-pca.cn-north-1.amazonaws.com.cn');
  assert.is(endpointOf('aws-us-gov', 'us-gov-west-1'), 'https://acm-pca.us-gov-west-1.amazonaws.com');
  assert.throws(
    () => endpointOf('aws-new', 'moon-1'),
    /partition aws-new are not known; set spec.awsPrivateCA.endpoint/,
  );
});

test('the ARN of something else is refused', () => {
  for (const arn of ['', 'arn:aws:iam::111122223333:role/x', ARN.replace('certificate-authority', 'template')])
    assert.throws(() => parseCaArn(arn), /is not that of a CA/);
});

const sts = (stsEndpoint: string | undefined, clusterWide = false, loopback = false) =>
  stsServer(
    stsEndpoint === undefined ? {} : { stsEndpoint },
    parseCaArn(ARN),
    { clusterWide, addresses: { loopback } },
    'awsPrivateCA',
  );

test('STS is that of the region, or another one of AWS', () => {
  assert.is(sts(undefined), 'https://sts.eu-central-1.amazonaws.com');
  for (const endpoint of [
    'https://sts.amazonaws.com',
    'https://sts.us-east-1.amazonaws.com:443/',
    'https://sts-fips.us-gov-west-1.amazonaws.com',
    'https://sts.cn-north-1.amazonaws.com.cn',
    'https://sts.eu-central-1.api.aws',
    'https://vpce-0123abcd-4567.sts.eu-central-1.vpce.amazonaws.com',
  ])
    assert.is(sts(endpoint), endpoint);
});

test('the author of a namespaced authority can send the token of a ServiceAccount to no host but STS', () => {
  for (const endpoint of [
    'https://evil.example',
    'https://sts.eu-central-1.amazonaws.com.evil.example',
    'https://sts.eu-central-1.amazonaws.com@evil.example',
    'https://evilsts.eu-central-1.amazonaws.com',
    'https://sts.s3.amazonaws.com',
    'https://bucket.s3.eu-central-1.amazonaws.com',
    'https://abc.execute-api.eu-central-1.amazonaws.com',
    'https://sts.evil.execute-api.eu-central-1.amazonaws.com',
    'https://vpce-1.vpce-svc-2.eu-central-1.vpce.amazonaws.com',
    'https://vpce-1.sts.vpce-svc-2.eu-central-1.vpce.amazonaws.com',
    'https://evil.api.aws',
    'https://10.0.0.1',
    'https://127.0.0.1:8443',
    'https://localhost',
  ])
    assert.throws(() => sts(endpoint), /only a ClusterCertificateAuthority may name such a host/, endpoint);
  assert.is(sts('https://localstack.example', true), 'https://localstack.example');
  assert.is(sts('https://127.0.0.1:8443', false, true), 'https://127.0.0.1:8443');
  assert.throws(() => sts('https://10.0.0.1', false, true), /such a host/);
});

test('a certificate belongs to the CA below whose ARN it is', () => {
  const ca = parseCaArn(ARN);
  assert.ok(isCertificateOf(ca, `${ARN}/certificate/0123456789abcdef`));
  for (const other of [
    ARN,
    `${ARN}0/certificate/1`,
    `${ARN}/certificate/`,
    `${ARN}/certificate/a/b`,
    `${ARN}/certificate/..`,
  ])
    assert.not.ok(isCertificateOf(ca, other), other);
});

test.run();
