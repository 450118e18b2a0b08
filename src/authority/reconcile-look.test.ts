import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { opensslCertificate } from '../../test/pki/openssl.ts';
import { aRuntime } from '../../test/unit/a-runtime.ts';
import { bareAuthorityDeps } from '../../test/unit/bare-authority-deps.ts';
import { NOW, RUN } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { authorityKey, type CertificateAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import { type Backend, type BackendDefinition, NO_TRUST } from '../backends/backend.ts';
import { BACKENDS } from '../backends/index.ts';
import { AuthorityError } from '../errors.ts';
import { parseCertificates } from '../pki/certificate.ts';
import { ProofsOwed } from '../rotation/members.ts';
import type { AuthorityDeps } from './deps.ts';
import { reconcileAuthority } from './reconcile.ts';
import { Registry } from './registry.ts';

const MINUTE = 60_000;
const nothing = () => {};

const healthy: Backend = {
  check: async () => {},
  trust: async () => NO_TRUST,
  issue: () => Promise.reject(new Error('nobody asks for a certificate here')),
};

/** An authority of that kind, and nothing but that backend to be seen. */
function scene(definition: BackendDefinition<never>, backend: Backend, change: Partial<AuthorityDeps> = {}) {
  const clock = new FakeClock(NOW);
  const metadata = { namespace: 'ns', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 1 };
  const spec = { selfManaged: { commonName: 'Test' } };
  const resource = parseCertificateAuthority('CertificateAuthority', { metadata, spec }) as CertificateAuthority;
  const deps: AuthorityDeps = {
    find: () => resource,
    registry: new Registry(),
    slowWork: { run: (_key, _deadline, work) => work() },
    start: () => aRuntime({ resource, definition, backend, clock }),
    generationSecrets: () => [],
    members: () => [],
    consumers: () => [],
    trustStatus: () => undefined,
    crlCondition: () => [],
    crlProofs: () => [],
    createGeneration: async () => {},
    writeGeneration: async () => {},
    deleteGeneration: async () => {},
    writeStatus: async () => {},
    recordEvent: nothing,
    ...bareAuthorityDeps(),
    wakeCertificates: nothing,
    wakeReleased: nothing,
    metrics: {
      show: nothing,
      showRotation: nothing,
      showRevocations: nothing,
      overruled: nothing,
      showDemand: nothing,
      showFallback: nothing,
      hide: nothing,
    },
    ownership: { assert: nothing },
    trustPropagationMs: MINUTE,
    controllerNamespace: 'certwheel',
    proofs: () => [],
    clock,
    log: SILENT,
    ...change,
  };
  const key = authorityKey(resource);
  return { clock, reconcile: () => reconcileAuthority(key, deps, RUN), view: () => deps.registry.get(key)?.view };
}

/** When the authority is reconciled next. */
async function nextLook(definition: BackendDefinition<never>, backend = healthy): Promise<number | undefined> {
  const outcome = await scene(definition, backend).reconcile();
  if (outcome.do !== 'rest') throw new Error(`it ends with ${outcome.do}`);
  return outcome.recheckAt && outcome.recheckAt.getTime() - NOW.getTime();
}

for (const definition of BACKENDS as readonly BackendDefinition<never>[]) {
  const { type, capabilities } = definition;

  if (capabilities.remote)
    test(`${type} is reconciled within 5 minutes without any event, since no watch covers another machine`, async () => {
      const inMs = await nextLook(definition);
      assert.ok(inMs !== undefined && inMs > 0 && inMs <= 5 * MINUTE, `in ${inMs} ms`);
    });
  else
    test(`${type} is reconciled only after an event`, async () => {
      assert.is(await nextLook(definition), undefined);
    });

  if (capabilities.remote)
    test(`${type} is probed ten times at once and then every 3 s, however often its credentials change`, async () => {
      let probes = 0;
      const { clock, reconcile } = scene(definition, { ...healthy, check: async () => void probes++ });
      const looks = Array.from({ length: 30 }, reconcile);
      await clock.advance(1);
      assert.is(probes, 10);
      await clock.advance(9_000);
      assert.is(probes, 13);
      await clock.advance(MINUTE);
      await Promise.all(looks);
      assert.is(probes, 30);
    });

  test(`${type} is probed within seconds when it is in trouble`, async () => {
    const down = () => Promise.reject(new AuthorityError('AuthorityUnreachable', 'nobody is there'));
    const inMs = await nextLook(definition, { ...healthy, check: down });
    assert.ok(inMs !== undefined && inMs > 0 && inMs <= 2_000, `in ${inMs} ms`);
  });
}

test('an anchor that some verifier cannot read goes into no ca.crt', async () => {
  const good = (await root()).certificate;
  const pem = opensslCertificate(
    ...['-newkey', 'rsa:2048', '-addext', 'nameConstraints=critical,permitted;URI:spiffe://example.com/'],
  );
  const anchors = [good, ...parseCertificates(pem, { most: 1 })];
  const definition = (BACKENDS as readonly BackendDefinition<never>[]).find(({ type }) => type === 'vault');
  assert.ok(definition);
  const { reconcile, view } = scene(definition, { ...healthy, trust: async () => ({ anchors, intermediates: [] }) });
  await reconcile();
  assert.is(view()?.trust.pem, good.pem);
});

for (const isFollowed of [undefined, () => true])
  test(`while many proofs are owed a look ${isFollowed === undefined ? '' : 'at the authority of another replica '}begins anew after them`, async () => {
    const [definition] = BACKENDS as readonly BackendDefinition<never>[];
    assert.ok(definition);
    const { fallbacks } = bareAuthorityDeps();
    let isOwed = true;
    const look = async () => {
      if (isOwed) throw new ProofsOwed();
      return undefined;
    };
    const { reconcile, view } = scene(definition, healthy, {
      isFollowed,
      fallbacks: { ...fallbacks, look, follow: look } as never,
      prove: async () => {
        isOwed = false;
      },
    });
    assert.equal(await reconcile(), { do: 'retry', at: NOW });
    assert.is(isOwed, false);
    assert.is(view(), undefined, 'nothing is said of it before');
    assert.is((await reconcile()).do, 'rest');
    assert.ok(view());
  });

test.run();
