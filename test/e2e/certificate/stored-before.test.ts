import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVOCATION_FINALIZER } from '../../../src/api/books-names.ts';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { applyWithoutRules } from '../support/older-crds.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

// Resources that are older than the CEL rules. The API server checks these at a write only.

const scene = oneScene({ install: applyWithoutRules });
test.after(scene.stop);

const STORED: Readonly<Record<string, [spec: Record<string, unknown>, message: RegExp]>> = {
  'uri-of-no-grammar': [{ uris: ['http://['] }, /^uris holds "http:\/\/\[", which is no URI as RFC 3986 has it$/],
  'uri-of-no-domain': [{ uris: ['spiffe://a..b/x'] }, /^uris holds "spiffe:\/\/a\.\.b\/x", which has the host a\.\.b,/],
  mailbox: [{ emailAddresses: ['a..b@example.com'] }, /^emailAddresses holds "a\.\.b@example\.com"/],
  label: [{ secretTemplate: { labels: { 'a..b/c': 'x' } } }, /^spec\.secretTemplate\.labels has the key "a\.\.b\/c"/],
  annotation: [
    { secretTemplate: { annotations: { '.a/b': 'x' } } },
    /^spec\.secretTemplate\.annotations has the key "\.a\/b"/,
  ],
};

for (const [name, [spec, message]] of Object.entries(STORED)) {
  test(`a stored value that no reader or no Secret accepts is refused with its field: ${name}`, async () => {
    const { world, controller, namespace } = await scene.get();
    await create(world, clientCertificate(namespace, name, spec));
    const status = await untilReady(world, namespace, name, { status: 'False', reason: 'InvalidSpec' });
    assert.match(conditionOf(status, 'Ready')?.message ?? '', message);
    assert.is(signatures(controller, namespace, name), 0);
  });
}

test('one that makes no sense under the rules of today and has the finalizer of revocation can be deleted', async () => {
  const { world, namespace } = await scene.get();
  const { metadata, spec } = clientCertificate(namespace, 'held', { duration: '5s' });
  const finalizers = [REVOCATION_FINALIZER];
  await world.client.create(CLIENT_CERTIFICATES, { metadata: { ...metadata, finalizers }, spec });
  await untilReady(world, namespace, 'held', { status: 'False', reason: 'InvalidSpec' });
  const { metadata: stored } = (await world.client.get(CLIENT_CERTIFICATES, namespace, 'held')) ?? {};
  assert.equal(stored?.finalizers, finalizers);
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'held');
  await eventually('it is gone', async () => {
    return (await world.client.get(CLIENT_CERTIFICATES, namespace, 'held')) === undefined;
  });
});

test.run();
