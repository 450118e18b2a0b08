import { createPrivateKey, createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { FALLBACK_SECRET, fallbackManifest } from '../../../src/authority/fallback-secret.ts';
import { stateSecretOf } from '../../../src/authority/state-secret.ts';
import { dataOf, newRequest, wantedOf } from '../../../src/backends/self-managed/kept-request.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { generateKey } from '../../../src/pki/keys.ts';
import { bootstrapOf, keptText, SOURCES_SECRET } from '../../../src/trust-targets/kept-bundles.ts';
import { patchAuthority } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { FALLBACK, subjectsIn, untilFallback } from '../support/lapsed.ts';
import { authorityStatusOf, createAuthority, selfManaged } from '../support/objects.ts';
import { makeCa, openssl, withFiles } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a user who may create Secrets, and neither change them nor write authorities, creates the Secret in which an authority
// keeps the CA certificates of its fallback, or what the endpoints of its sources served. While fallback or endpoint is away, the
// authority would trust what stands there.

const flags = ['--trust-targets', 'configMaps', '--allow-loopback-authorities'];
const scene = oneScene({ authority: false, flags });
test.after(scene.stop);

const foreign = await makeCa('Foreign CA');
const [certificate] = parseCertificates(foreign.certificate);
if (certificate === undefined) throw new Error('no CA was made');
const TARGETS = [{ name: 'servers', configMap: { name: 'servers-ca' } }];

/** The uid that the attacker writes into the Secret, and the one that only its creation tells. */
const FORGERS = ['an attacker', 'the control'] as const;

/** Creates the Secret of that content. The control changes it as well, which the attacker may not. */
async function plant(world: World, forger: (typeof FORGERS)[number], contentOf: (uid: string) => Manifest) {
  const guessed = contentOf('0a4d1f0e-3f5c-4d5e-8a53-6d3ef20d4e8f');
  const { metadata } = await world.client.create(SECRETS, {
    ...guessed,
    metadata: { ...guessed.metadata, ...UNSTORED },
  });
  if (forger === 'an attacker') return;
  const { uid = '', resourceVersion = '' } = metadata ?? {};
  await world.client.apply(SECRETS, {
    ...guessed,
    ...contentOf(uid),
    metadata: { ...guessed.metadata, uid, resourceVersion },
  });
}

type Manifest = ReturnType<typeof fallbackManifest>;
const UNSTORED = { uid: undefined, resourceVersion: undefined };

async function uidOf(world: World, namespace: string): Promise<string> {
  const found = await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca');
  return found?.metadata?.uid ?? '';
}

async function inTarget(world: World, namespace: string): Promise<readonly string[]> {
  const found = await world.client.get(CONFIG_MAPS, namespace, 'servers-ca');
  return subjectsIn((found as { data?: Record<string, string> } | undefined)?.data?.['ca.crt']);
}

for (const forger of FORGERS)
  test(`${forger}: a Secret made for the CA certificates of a fallback`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    await createAuthority(world, selfManaged(namespace, 'ca', { trust: { targets: TARGETS } }));
    const owner = { kind: 'CertificateAuthority', name: 'ca', uid: await uidOf(world, namespace) } as const;
    const kept = { name: 'reserve', own: [], further: [certificate] };
    await plant(world, forger, (uid) => fallbackManifest(owner, namespace, kept, { metadata: { uid } }));
    // The fallback isn't there yet.
    await patchAuthority(world, namespace, 'ca', { spec: FALLBACK });
    await untilFallback(world, namespace, 'False', 'AuthorityNotFound');
    const expected = forger === 'the control' ? 2 : 1;
    await eventually('the target is written', async () => (await inTarget(world, namespace)).length === expected);
    await sleep(QUIET_MS);
    assert.is((await inTarget(world, namespace)).includes('CN=Foreign CA'), forger === 'the control');

    await createAuthority(world, selfManaged(namespace, 'reserve'));
    await untilFallback(world, namespace, 'True');
    await eventually('the target has the CA of both', async () => {
      const subjects = await inTarget(world, namespace);
      return subjects.length === 2 && !subjects.includes('CN=Foreign CA');
    });
    const stored = await world.client.get(SECRETS, namespace, FALLBACK_SECRET.nameOf(owner));
    assert.is(Buffer.from(stored?.data?.['secret-uid'] ?? '', 'base64').toString(), stored?.metadata?.uid);
  });

for (const forger of FORGERS)
  test(`${forger}: a Secret made for the bundle of a source`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    // Nothing listens there.
    const spiffeBundle = {
      endpoint: 'https://127.0.0.1:9',
      trustDomain: 'partner.example',
      profile: 'https_web',
    } as const;
    await createAuthority(world, selfManaged(namespace, 'ca'));
    const owner = { kind: 'CertificateAuthority', name: 'ca' } as const;
    const uid = await uidOf(world, namespace);
    const kept = { certificates: [certificate], bootstrap: bootstrapOf(spiffeBundle) };
    await plant(world, forger, (secretUid) =>
      SOURCES_SECRET.manifest(
        owner,
        namespace,
        new Map([['partner', keptText({ uid, secretUid }, spiffeBundle, kept)]]),
        undefined,
      ),
    );
    const trust = { sources: [{ name: 'partner', spiffeBundle }], targets: TARGETS };
    await patchAuthority(world, namespace, 'ca', { spec: { trust } });
    await eventually('the endpoint is away', async () => {
      const { trust } = await authorityStatusOf(world, namespace, 'ca');
      return trust?.sources?.[0]?.reason === 'TrustEndpointUnreachable';
    });
    await sleep(QUIET_MS);
    if (forger === 'the control')
      await eventually('the forged CA is trusted', async () =>
        (await inTarget(world, namespace)).includes('CN=Foreign CA'),
      );
    else assert.not((await inTarget(world, namespace)).includes('CN=Foreign CA'));
  });

for (const forger of FORGERS)
  test(`${forger}: a Secret made for the key of a CA that a person signs`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    const owner = { kind: 'CertificateAuthority', name: 'ca' } as const;
    const keySpec = { algorithm: 'ECDSA', size: 256 } as const;
    const request = newRequest(await generateKey(keySpec), wantedOf({ commonName: 'Payments v1' }, keySpec));
    const texts = Object.entries(dataOf(request)).map(([key, value]): [string, string] => [key, value.toString()]);
    const { secret } = stateSecretOf('selfManaged');
    await plant(world, forger, (uid) =>
      secret.manifest(owner, namespace, new Map([...texts, ['secret-uid', uid]]), undefined),
    );
    const externalRoot = { trustBundle: { inline: foreign.certificate } };
    await createAuthority(
      world,
      selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Payments', externalRoot } }),
    );
    const csr = await eventually('there is a CSR', async () => {
      const found = await world.client.get(CONFIG_MAPS, namespace, 'ca-ca-request');
      return (found as { data?: Record<string, string> } | undefined)?.data?.['request.csr'];
    });
    const publicKey = createPublicKey(createPrivateKey(request.pem)).export({ type: 'spki', format: 'pem' }).toString();
    const asked = await withFiles({ 'request.pem': csr }, (folder) =>
      openssl(folder, 'req', '-in', 'request.pem', '-pubkey', '-noout'),
    );
    assert.is(String(asked).includes(publicKey.trim()), forger === 'the control');
  });

test.run();
