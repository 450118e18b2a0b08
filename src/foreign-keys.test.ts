/** Words of tenants, servers and files that every JavaScript object knows: they are keys like any other. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../test/pki/make.ts';
import { aCertificate } from '../test/unit/builders.ts';
import { plainly } from '../test/unit/rendered.ts';
import { allowsNamespace } from './api/certificate-authority.ts';
import { isBroken, parseClientCertificate } from './api/client-certificate.ts';
import { mergeConditions } from './api/conditions.ts';
import type { VaultBackend } from './api/generated/types.ts';
import { OUTPUTS_ANNOTATION } from './api/names.ts';
import { parseOutputs } from './api/outputs.ts';
import type { BackendDeps, ReferencedData } from './backends/backend-deps.ts';
import { membersOf } from './backends/http/json-members.ts';
import { readTrustBundle } from './backends/shared/trust-bundle.ts';
import { thumbprintOf } from './backends/step-ca/token.ts';
import { vault } from './backends/vault.ts';
import { secretManifest } from './certificate/secret/manifest.ts';
import { areFilesWhole } from './certificate/secret/outputs.ts';
import { render } from './certificate/secret/render.ts';
import { readStorePasswords } from './certificate/secret/store-passwords.ts';
import { viewSecret } from './certificate/secret/view.ts';
import { systemClock } from './clock.ts';
import { AuthorityError } from './errors.ts';
import { fieldAltered } from './kube/difference.ts';
import { createLogger } from './log.ts';
import { usagesProblem } from './pki/usages.ts';
import { missingFields } from './wiring/crd-fields.ts';

/** As names of keys in a Secret; the first is none that a label or an annotation may have. */
const WORDS = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'];
const LABEL_WORDS = WORDS.slice(1);
const NOW = new Date('2026-06-01T12:00:00Z');

const ca = await root();

/** An object with these own members, `__proto__` included, as JSON brings it. */
function own<T>(keys: readonly string[], value: (key: string) => T): Record<string, T> {
  return Object.fromEntries(keys.map((key) => [key, value(key)]));
}

async function failure(work: Promise<unknown>): Promise<AuthorityError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(thrown, AuthorityError);
  return thrown as AuthorityError;
}

const deps = (content: ReferencedData) =>
  ({
    clock: systemClock,
    loopback: true,
    log: createLogger('error', 'json'),
    objects: { namespace: 'shop' },
    signing: () => undefined,
    secret: async () => content,
    configMap: async () => content,
  }) as unknown as BackendDeps;

for (const word of WORDS) {
  test(`a trust bundle under the key ${word} is read, and where it is missing that is said`, async () => {
    for (const kind of ['secret', 'configMap'] as const) {
      const source = { [kind]: { name: 'cas', key: word }, partialChain: false };
      const full = deps(own([word], () => Buffer.from(ca.certificate.pem)));
      assert.is((await readTrustBundle(source, full)).anchors[0]?.subjectText, ca.certificate.subjectText);
      const { code, message } = await failure(readTrustBundle(source, deps({ 'ca.crt': Buffer.from('x') })));
      assert.is(code, 'TrustBundleNotFound');
      assert.match(message, `cas has no key ${word}`);
    }
  });

  test(`a token under the key ${word} is presented, and where it is missing nothing else is`, async () => {
    const spec = {
      server: 'https://127.0.0.1:1',
      role: 'client',
      auth: { tokenSecretRef: { name: 'token', key: word } },
    };
    const check = (content: ReferencedData) =>
      failure(
        vault.create({ mount: 'pki', ...spec } as VaultBackend, deps(content)).check(new AbortController().signal),
      );
    const missing = await check({ token: Buffer.from('hvs.token') });
    assert.is(missing.code, 'CredentialsNotFound');
    assert.ok(missing.message.startsWith(`Secret token in namespace shop has no key ${word}, or`), missing.message);
    assert.is((await check(own([word], () => Buffer.from('hvs.token')))).code, 'AuthorityUnreachable');
  });

  test(`a file of the name ${word} is written and read like others, and one that is missing is missed`, async () => {
    const outputs = parseOutputs({ secretDataNames: own(['certificate'], () => word) });
    const spec = { ...aCertificate().build().spec, outputs };
    const pem = { certificateChain: ca.certificate.pem, privateKey: '', trustBundle: ca.certificate.pem };
    const { data, outputs: record } = await render(pem, spec, undefined, undefined, NOW);
    assert.is(Object.entries(data).find(([name]) => name === word)?.[1], data['tls.crt']);
    const { [word]: _, ...others } = data;
    const holds = (content: typeof data) =>
      areFilesWhole({ metadata: { annotations: { [OUTPUTS_ANNOTATION]: record } }, data: content });
    assert.equal([holds(JSON.parse(JSON.stringify(data))), holds(others)], [true, false]);
  });

  test(`the password of a key store under the key ${word} is read, and where it is missing that is said`, async () => {
    const store = { create: true, alias: 'a', passwordSecretRef: { name: 'store', key: word } };
    const spec = { outputs: parseOutputs({ keystores: { jks: store } }) };
    const read = (data: Record<string, string>) =>
      readStorePasswords({ namespace: 'team', spec }, async () => ({ data }));
    assert.ok('tag' in ((await read(own([word], () => 'Y2hhbmdlaXQ='))) ?? {}));
    const missing = await read({});
    const problem = missing !== undefined && 'problem' in missing ? missing.problem : '';
    assert.ok(problem.startsWith(`Secret team/store, key ${word}: there is no password`), problem);
  });

  test(`a condition of the type ${word} is kept, by its type`, () => {
    const theirs = {
      type: word,
      status: 'True',
      reason: 'R',
      message: 'm',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    };
    const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'fine' } as const;
    const merged = mergeConditions([theirs as never], [ready], ['Ready'], NOW);
    assert.equal(merged, [theirs, { ...ready, lastTransitionTime: '2026-06-01T12:00:00Z' }]);
  });

  test(`${word} names no usage, no kind of key and no member of an answer`, () => {
    assert.match(usagesProblem([word], { algorithm: 'ECDSA', size: 256 }) ?? '', 'which is unknown');
    assert.is(thumbprintOf({ kty: word }), undefined);
    assert.is(Object.hasOwn(membersOf({}), word), false);
  });

  test(`a field that is stored without the member ${word} is altered`, () => {
    assert.is(fieldAltered({ data: own([word], () => 'AA==') }, { data: {} }), `data.${word}`);
    assert.is(fieldAltered({ data: own([word], () => 'AA==') }, { data: own([word], () => 'AA==') }), undefined);
  });
}

for (const word of LABEL_WORDS) {
  test(`a namespace is selected by the label ${word} only where it has it`, () => {
    const selector = { matchLabels: { [word]: 'yes' } };
    const exists = { matchExpressions: [{ key: word, operator: 'Exists' as const }] };
    const labels = { [word]: 'yes' };
    for (const each of [selector, exists]) {
      assert.is(allowsNamespace({ selector: each }, 'shop', {}), false);
      assert.is(allowsNamespace({ selector: each }, 'shop', labels), true);
    }
    const absent = { matchExpressions: [{ key: word, operator: 'DoesNotExist' as const }] };
    assert.is(allowsNamespace({ selector: absent }, 'shop', {}), true);
    assert.is(allowsNamespace({ selector: absent }, 'shop', labels), false);
  });
}

test('labels and annotations with such keys reach the Secret, and are read back from it', () => {
  const template = own(LABEL_WORDS, (key) => `x${key}`);
  const object = {
    metadata: { namespace: 'shop', name: 'constructor', uid: 'u' },
    spec: {
      authorityRef: { name: 'constructor' },
      secretName: 'constructor',
      commonName: '__proto__',
      secretTemplate: { labels: { ...template }, annotations: { ...template } },
    },
  };
  const resource = parseClientCertificate(object);
  if (isBroken(resource)) throw new Error(resource.problem);
  const data = { certificateChain: '', privateKey: '', trustBundle: '' };
  const memory = {
    revision: 1,
    authority: 'a',
    authorityGeneration: 1,
    requestedDurationMs: 1,
    issuedAt: NOW,
    ledger: '',
  };
  const manifest = secretManifest(resource, plainly(data, resource), memory as never, undefined);
  const view = viewSecret(JSON.parse(JSON.stringify(manifest)));
  for (const key of LABEL_WORDS) {
    assert.is((manifest.metadata.labels as Record<string, string>)[key], `x${key}`);
    assert.is(view.labels[key], `x${key}`);
    assert.is(view.annotations[key], `x${key}`);
  }
});

test('a template key that no Secret can have is refused, and changes no prototype', () => {
  const secretTemplate = JSON.parse('{"labels":{"__proto__":"x"}}');
  const spec = { authorityRef: { name: 'ca' }, secretName: 'a-tls', commonName: 'a', secretTemplate };
  const parsed = parseClientCertificate({ metadata: { name: 'a' }, spec });
  assert.match(isBroken(parsed) ? parsed.problem : '', 'spec.secretTemplate.labels has the key "__proto__"');
  assert.is(({} as { x?: unknown }).x, undefined);
});

test('an installed CRD lacks a field that only every object has', () => {
  const none = missingFields({ kind: 'ClientCertificate' } as never, { properties: own(WORDS, () => ({})) });
  assert.equal(none, ['spec', 'status']);
});

test.run();
