/** What people see of the resources with kubectl. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { lazily } from '../support/lazily.ts';
import { CRD_FILES, type Json, untilKnown } from './api.ts';
import { FULL, merge, smallest } from './samples.ts';

const cluster = lazily(startControlPlane);
test.after(cluster.stop);

async function kubectl(...args: string[]): Promise<string> {
  return (await (await cluster.get()).kubectl(args)).stdout;
}

async function submit(object: Json, ...options: string[]): Promise<void> {
  const [verb = 'create', ...flags] = options;
  await (await cluster.get()).kubectl([verb, ...flags, '-f', '-'], { input: JSON.stringify(object) });
}

/** The cells of a table, which kubectl separates by three spaces. */
function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {3,}/));
}

test('every CRD applies without a warning, in either way, and twice', async () => {
  for (const file of CRD_FILES) {
    for (const options of [['--server-side'], ['--server-side'], ['--server-side=false', '--force-conflicts=false']]) {
      const { stderr } = await (await cluster.get()).kubectl(['apply', ...options, '-f', file]);
      assert.is(stderr.replaceAll(/^Warning: resource .* is missing the .*last-applied-configuration.*\n/gm, ''), '');
    }
  }
  await untilKnown(await cluster.get());
  const conditions = await kubectl('get', 'crd', '-o', 'jsonpath={.items[*].status.conditions[*].type}');
  assert.not.match(conditions, 'NonStructuralSchema');
});

test('kubectl explain teaches', async () => {
  const renewBefore = await kubectl('explain', 'clientcertificate.spec.renewBefore');
  assert.match(renewBefore, /Time between renewal and expiry/);
  assert.match(renewBefore, /half of\s+the life/);
  assert.match(await kubectl('explain', 'ccert.spec.privateKey.rotationPolicy'), /Always \(the default\)/);
  assert.match(
    await kubectl('explain', 'ccert.spec.authorityRef.kind'),
    /ENUM:\s+CertificateAuthority\s+ClusterCertificateAuthority/,
  );
  assert.match(await kubectl('explain', 'cauth.spec.selfManaged.duration'), /87600h \(10\s+years\)/);
  assert.match(await kubectl('explain', 'ccauth.spec.allowedNamespaces'), /NamespaceNotAllowed/);
  assert.not.match(await kubectl('explain', 'cauth.spec'), 'allowedNamespaces');
});

test('kubectl explain leaves no field without a description', async () => {
  for (const plural of ['ccert', 'cauth', 'ccauth']) {
    for (const part of ['spec', 'status'])
      assert.not.match(await kubectl('explain', `${plural}.${part}`, '--recursive=false'), '<no description>');
  }
});

test('a new ClientCertificate is listed as pending', async () => {
  await submit(smallest('ClientCertificate'));
  const [head, row] = rows(await kubectl('get', 'ccert'));
  assert.equal(head, ['NAME', 'READY', 'SECRET', 'AUTHORITY', 'EXPIRES', 'RENEWAL', 'AGE']);
  assert.equal(row?.slice(0, 4), ['sample', 'Unknown', 'client-tls', 'demo-ca']);
  const [, wide] = rows(await kubectl('get', 'ccert', '-o', 'wide'));
  assert.ok(wide?.includes('Pending'));
});

test('the columns show when a certificate ends and is renewed, though that lies ahead', async () => {
  const future = { notAfter: '2126-01-31T12:00:00Z', renewalTime: '2126-01-31T06:00:00Z' };
  const object = merge(FULL.ClientCertificate[0] ?? {}, { metadata: { name: 'issued' }, status: future });
  await submit(object);
  await kubectl(
    'patch',
    'ccert',
    'issued',
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status: object.status }),
  );
  const [head, row] = rows(await kubectl('get', 'ccert', 'issued', '-o', 'wide'));
  assert.equal(head, [
    'NAME',
    'READY',
    'SECRET',
    'AUTHORITY',
    'EXPIRES',
    'RENEWAL',
    'REASON',
    'ISSUING',
    'STALLED',
    'AGE',
  ]);
  assert.equal(row?.slice(0, 7), [
    'issued',
    'True',
    'client-tls',
    'platform',
    future.notAfter,
    future.renewalTime,
    'Issued',
  ]);
});

for (const [kind, short] of [
  ['CertificateAuthority', 'cauth'],
  ['ClusterCertificateAuthority', 'ccauth'],
] as const) {
  test(`the columns of a ${kind} show its backend and the end of its CA`, async () => {
    const object = merge(FULL[kind][0] ?? {}, {
      status: { notAfter: '2126-01-31T12:00:00Z', nextProbeTime: '2126-01-30T12:00:07Z' },
    });
    await submit(object);
    await kubectl(
      'patch',
      short,
      'sample',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: object.status }),
    );
    const [head, row] = rows(await kubectl('get', short, '-o', 'wide'));
    assert.equal(head, [
      'NAME',
      'READY',
      'BACKEND',
      'CA EXPIRES',
      'GENERATION',
      'NEXT PROBE',
      'REASON',
      'STALLED',
      'AGE',
    ]);
    const [end, probe] = ['2126-01-31T12:00:00Z', '2126-01-30T12:00:07Z'];
    assert.equal(row?.slice(0, 7), ['sample', 'True', 'selfManaged', end, '1', probe, 'Issued']);
  });
}

test('the category lists all three kinds', async () => {
  const names = (await kubectl('get', 'certwheel', '-o', 'name')).trim().split('\n').sort();
  assert.equal(names, [
    'certificateauthority.certwheel.io/sample',
    'clientcertificate.certwheel.io/issued',
    'clientcertificate.certwheel.io/sample',
    'clustercertificateauthority.certwheel.io/sample',
  ]);
});

test('certificates can be selected by Secret and by authority', async () => {
  const found = (selector: string) => kubectl('get', 'ccert', '-o', 'name', `--field-selector=${selector}`);
  assert.is(await found('spec.authorityRef.name=platform'), 'clientcertificate.certwheel.io/issued\n');
  assert.is(await found('spec.secretName=other-tls'), '');
  assert.is((await found('spec.secretName=client-tls')).split('\n').length, 3);
});

test('two managers can each own some of the names, and a name given twice is given once', async () => {
  for (const [manager, dnsNames] of [
    ['one', ['a.example.com']],
    ['two', ['b.example.com', 'a.example.com']],
  ] as const) {
    const object = merge(smallest('ClientCertificate'), { metadata: { name: 'shared' }, spec: { dnsNames } });
    await submit(object, 'apply', '--server-side', `--field-manager=${manager}`);
  }
  const shared = await kubectl('get', 'ccert', 'shared', '-o', 'jsonpath={.spec.dnsNames}');
  assert.equal(JSON.parse(shared).sort(), ['a.example.com', 'b.example.com']);
});

test.run();
