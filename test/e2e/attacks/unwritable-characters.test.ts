import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, RENEW_AT_ANNOTATION } from '../../../src/api/names.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { createSecret } from '../support/edits.ts';
import { createToken, createVaultAt } from '../support/no-vault.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { applyWithoutRules } from '../support/older-crds.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, oneWorld } from '../support/world.ts';

// A tenant, a CA or a server writes characters that a YAML reader refuses (U+007F, C1, U+FFFE, U+FFFF) or alters (U+0085)
// where Certwheel quotes or publishes them, so that neither the Secret nor the refusal could be written.

const BAD = '\x7f\x80\x85\x9f\u2028\u202e\ufeff\ufffe\uffff';
/** The nearest character to each that every reader accepts. */
const GOOD = '~\xa0\u2027\u202f\ufffd\u{1f511}';
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/u;

const fresh = oneWorld();
/** With CRDs that accepted such objects. */
const scene = oneScene({ install: applyWithoutRules, flags: ['--allow-loopback-authorities'] });
test.after(fresh.stop);

const FIELDS: Readonly<Record<string, (text: string) => Record<string, unknown>>> = {
  'common-name': (text) => ({ commonName: `a${text}b` }),
  organization: (text) => ({ subject: { organizations: [`a${text}b`] } }),
  annotation: (text) => ({ secretTemplate: { annotations: { team: `a${text}b` } } }),
};

for (const [name, spec] of Object.entries(FIELDS)) {
  test(`the API server refuses a new ClientCertificate with such a character in its ${name}, and takes one without`, async () => {
    const { client, cluster, namespace: newNamespace } = await fresh.get();
    const namespace = await newNamespace();
    for (const text of ['\x80', '\x85', '\u2028', '\ufffe', '\uffff']) {
      const bad = clientCertificate(namespace, name, spec(text));
      const answer = await client.create(CLIENT_CERTIFICATES, bad).catch((error: Error) => error.message);
      assert.match(String(answer), 'must not hold control characters', JSON.stringify(text));
      const manifest = { apiVersion: 'certwheel.io/v1alpha1', kind: 'ClientCertificate', ...bad };
      const input = JSON.stringify(manifest);
      const applied = await cluster.kubectl(['create', '-f', '-'], { input }).catch((error: Error) => error.message);
      assert.match(String(applied), 'must not hold control characters', JSON.stringify(text));
    }
    await client.create(CLIENT_CERTIFICATES, clientCertificate(namespace, name, spec(GOOD)));
  });

  test(`nothing is signed for a stored one with such a character in its ${name}, and its status names the field`, async () => {
    const { world, controller, namespace } = await scene.get();
    for (const [index, text] of ['\x80', '\x85', '\u2028', '\ufffe', '\uffff'].entries()) {
      const certificate = `${name}-${index}`;
      await create(world, clientCertificate(namespace, certificate, spec(text)));
      const status = await untilReady(world, namespace, certificate, { status: 'False', reason: 'InvalidSpec' });
      const message = conditionOf(status, 'Ready')?.message ?? '';
      assert.match(
        message,
        /^spec\.(commonName|subject\.organizations\.0|secretTemplate\.annotations\.team) holds U\+/,
      );
      assert.not.match(message, INVISIBLE);
      assert.is(signatures(controller, namespace, certificate), 0);
    }
  });
}

test('a ClientCertificate with the nearest characters is issued and published with exactly these', async () => {
  const { world, namespace } = await scene.get();
  const text = `a${GOOD}b`;
  const subject = { organizations: [text] };
  const secretTemplate = { annotations: { team: `${text}\t\n` } };
  await create(world, clientCertificate(namespace, 'good', { commonName: text, subject, secretTemplate }));
  await untilReady(world, namespace, 'good');
  const secret = await readSecret(world, namespace, 'good-tls');
  assert.is(secret?.annotations.team, `${text}\t\n`);
  assert.equal(secret?.leaf.toLegacyObject().subject, Object.assign(Object.create(null), { O: text, CN: text }));
});

test('an invalid renew-at is quoted without such characters', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'renewed', {}, { [RENEW_AT_ANNOTATION]: `soon${BAD}er` }));
  const status = await untilReady(world, namespace, 'renewed');
  const message = conditionOf(status, 'Ready')?.message ?? '';
  assert.match(message, /soon *er/);
  assert.not.match(message, INVISIBLE);
});

test('a CA with such a name signs, and the status of its authority shows what is invisible in it', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const { certificatePem, keyPem } = createIssuer(`CA a${BAD}b`);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const data = { 'tls.crt': base64(certificatePem), 'tls.key': base64(keyPem) };
  await createSecret(world, namespace, 'pair', { data, type: 'kubernetes.io/tls' });
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { secret: { name: 'pair' } },
  });
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
  const status = await eventually('the authority is ready', async () => {
    const found = await authorityStatusOf(world, namespace, 'ca');
    return conditionOf(found, 'Ready')?.status === 'True' && found;
  });
  assert.not.match(conditionOf(status, 'Ready')?.message ?? '', INVISIBLE);
  assert.match(
    status.generations?.[0]?.subject ?? '',
    'a\\u{7f}\\u{80}\\u{85}\\u{9f}\\u{2028}\\u{202e}\\u{feff}\\u{fffe}\\u{ffff}b',
  );
});

const issuer = createIssuer('CA of servers');
const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
const server = createServer({ cert, key }, (_request, response) => {
  // Half of a surrogate pair as well, which JSON can name.
  response.writeHead(500).end(JSON.stringify({ errors: [`refused a${BAD}\ud83d`, `b${'\u{1f511}'.repeat(3_000)}`] }));
}).listen(0, '127.0.0.1');
onStop(() => void server.close());

test('the answer of a server is reported without such characters, by its authority and its certificates', async () => {
  const { world } = await scene.get();
  if (!server.listening) await once(server, 'listening');
  const namespace = await world.namespace();
  await createToken(world, namespace);
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
  await createVaultAt(world, port, { namespace, name: 'ca' }, { caBundle });
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client', { status: 'False', reason: 'AuthorityNotReady' });
  for (const status of [await authorityStatusOf(world, namespace, 'ca'), await statusOf(world, namespace, 'client')]) {
    const message = conditionOf(status, 'Ready')?.message ?? '';
    assert.match(message, /refused a *; b\u{1f511}/u);
    assert.not.match(message, INVISIBLE);
  }
  const [event] = await eventually('there is an event', async () => {
    const found = await eventsOf(world, namespace, 'ca');
    return found.length > 0 && found;
  });
  assert.match(event?.note ?? '', /refused a *; b\u{1f511}/u);
  assert.not.match(event?.note ?? '', INVISIBLE);
});

test.run();
