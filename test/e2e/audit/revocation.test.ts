import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { patchCertificate } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { audit, eventsIn, logFolder } from './support.ts';

const shared = oneWorld();
test.after(shared.stop);

test('a revocation is in the log when it is asked for and when it is done, and who says so', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const log = join(logFolder(world), 'audit.log');
  await createAuthority(world, selfManaged(namespace, 'ca', { revocation: { url: 'http://crl.example.com' } }));
  const places = ['--namespaces', namespace, '--controller-namespace', namespace];
  const controller = await world.controller([...places, '--audit-log', log]);
  for (const name of ['alice', 'bob']) await create(world, clientCertificate(namespace, name));
  for (const name of ['alice', 'bob']) await untilReady(world, namespace, name);
  const { serialNumber = '' } = await statusOf(world, namespace, 'alice');
  const annotations = { [REVOKE_ANNOTATION]: `${serialNumber}=superseded` };
  await patchCertificate(world, namespace, 'alice', { metadata: { annotations } });
  await eventually(`${serialNumber} is revoked`, async () => {
    const { revocations = [] } = await statusOf(world, namespace, 'alice');
    return revocations.some((each) => each.serialNumber === serialNumber && each.state === 'Revoked');
  });
  assert.is(await controller.stop(), 0);

  const signed = eventsIn(log, 'signed').find(({ serial }) => serial === serialNumber);
  for (const event of ['revocationAsked', 'revoked'] as const) {
    const lines = eventsIn(log, event);
    assert.is(lines.length, 1, `${lines.length} lines ${event}`);
    const { serial, reason, name, issuer, authority } = lines[0] ?? {};
    assert.equal(
      { serial, reason, name, issuer, authority },
      {
        serial: serialNumber,
        reason: 'superseded',
        name: 'alice',
        issuer: signed?.issuer,
        authority: `CertificateAuthority/${namespace}/ca`,
      },
    );
  }
  const crls = eventsIn(log, 'crlSigned').map(({ detail }) => String(detail));
  assert.match(crls[0] ?? '', /^number \d+, 0 revoked$/);
  assert.match(crls.at(-1) ?? '', /^number \d+, 1 revoked$/);
  const [responder, ...more] = eventsIn(log, 'responderSigned');
  assert.equal([responder?.issuer, more], [signed?.issuer, []]);
  assert.match((await audit('who', String(responder?.serial), '--log', log)).printed, /to sign OCSP answers$/m);

  const { printed } = await audit('who', serialNumber, '--log', log);
  assert.match(printed, /^revoked: +20\S+, superseded$/m);
  const { serialNumber: other = '' } = await statusOf(world, namespace, 'bob');
  assert.match((await audit('who', other, '--log', log)).printed, /^revoked: +no, /m);
});

test.run();
