import { createPublicKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { leaf, root, signIntermediate } from '../../pki/make.ts';
import { createSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import {
  clientCertificate,
  create,
  createAuthority as createPlain,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import { makeStepCa, type StepCa } from './servers/step-ca.ts';
import { addK8sSAProvisioner, addX5cProvisioner } from './servers/step-provisioner.ts';
import { commandsByTool, follow, K8SSA, pageTemplate, pageTemplateOfK8sSA, X5C } from './step-ca-page.ts';
import type { Place } from './subject.ts';

// The provisioners X5C and K8sSA of a real step-ca, by what docs/authorities/step-ca.md says of them.

const worlds = oneWorld({ controllers: ['serviceaccount-token-controller'] });
const servers = lazily(() => makeStepCa());
test.after(async () => {
  await worlds.stop();
  await servers.stop();
});

let controller: Promise<unknown> | undefined;
async function somewhere(): Promise<Place & { readonly ca: StepCa }> {
  const [world, ca] = await Promise.all([worlds.get(), servers.get()]);
  controller ??= world.controller(['--allow-loopback-authorities']);
  await controller;
  return { ca, ...(await place(world)) };
}

const specOf = (ca: StepCa, provisioner: object) => ({
  server: ca.url,
  rootFingerprints: [ca.fingerprint],
  provisioner,
});

const kubectl = (where: Place, ca: StepCa, heading: string) => follow(where, ca, commandsByTool(heading).kubectl);

const base64 = (text: string) => Buffer.from(text).toString('base64');
const FAR = { notAfter: new Date(Date.now() + 365 * 86_400_000) };
const lasting = (ms: number) => ({ notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + ms) });
type Pair = Awaited<ReturnType<typeof leaf>>;
const dataOf = ({ certificate, key }: Pair, above: readonly Pair[] = []) => ({
  'tls.crt': base64([certificate, ...above.map((each) => each.certificate)].map(({ pem }) => pem).join('')),
  'tls.key': base64(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
});

test('X5C: tokens are signed by a certificate that Certwheel renews, as the page says; a renewed one is used at once', async () => {
  const { ca, ...where } = await somewhere();
  const { world, namespace } = where;
  const provisioner = { name: 'certwheel-x5c', x5c: { secretRef: { name: 'step-login' } } };
  // Before there is such a Secret: its name stays free for the ClientCertificate.
  await ca.start();
  await createAuthority(where, 'stepCA', specOf(ca, provisioner));
  const missing = { status: 'False', reason: 'CredentialsNotFound', says: 'there is no Secret step-login' } as const;
  await untilAuthority(where, missing);
  await createPlain(world, selfManaged(namespace, 'login-ca'));
  await kubectl(where, ca, X5C);
  addX5cProvisioner(ca, 'certwheel-x5c', ca.read('login-ca.crt'), pageTemplate());
  await ca.start();
  await untilAuthority(where);
  const uris = ['spiffe://example.org/a'];
  await create(world, clientCertificate(namespace, 'alice', { uris, dnsNames: ['alice.example.org'] }));
  await untilReady(world, namespace, 'alice');
  const first = await readSecret(world, namespace, 'step-login');
  await renewAt(world, namespace, 'step-login');
  await untilRevision(world, namespace, 'step-login', 2);
  await renewAt(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', 2);
  const second = await readSecret(world, namespace, 'step-login');
  assert.is.not(first?.leaf.serialNumber, second?.leaf.serialNumber);
});

test('X5C: no certificate outlives the one that signs the tokens, and one that step-ca would refuse is reported', async () => {
  const { ca, ...where } = await somewhere();
  const { world, namespace } = where;
  const [top, stranger] = [await root(FAR), await root(FAR)];
  const below = await signIntermediate(top, FAR);
  addX5cProvisioner(ca, "o'brien #1 ä", top.certificate.pem, pageTemplate());
  await ca.start();
  const subject = { commonName: 'certwheel' };
  const good = await leaf(below, { subject, ...lasting(1_800_000) });
  await createSecret(world, namespace, 'login', { type: 'kubernetes.io/tls', data: dataOf(good, [below]) });
  const provisioner = { name: "o'brien #1 ä", x5c: { secretRef: { name: 'login' } } };
  await createAuthority(where, 'stepCA', specOf(ca, provisioner));
  await untilAuthority(where);
  await create(world, clientCertificate(namespace, 'short'));
  await untilReady(world, namespace, 'short');
  const { notAfter } = parseCertificate((await readSecret(world, namespace, 'short-tls'))?.leaf.raw as Buffer);
  const beforeMs = good.certificate.notAfter.getTime() - notAfter.getTime();
  assert.ok(beforeMs > 50_000 && beforeMs < 70_000, `it ends ${beforeMs} ms before`);

  const usages = ['digital signature', 'server auth'];
  const expired = { notBefore: new Date(Date.now() - 120_000), notAfter: new Date(Date.now() - 60_000) };
  const faults: [Record<string, string>, string][] = [
    [dataOf(good), "leads to no root of step-ca's provisioner o'brien #1 ä"],
    [dataOf(await leaf(stranger, { subject, ...lasting(3_600_000) })), 'leads to no root of'],
    [
      dataOf(await leaf(below, { subject, ...lasting(3_600_000), usages }), [below]),
      'which lacks the usages client auth',
    ],
    [dataOf(await leaf(below, { subject, ...expired }), [below]), 'this certificate expired at'],
    [{ ...dataOf(good, [below]), 'tls.key': dataOf(stranger)['tls.key'] }, 'is not the key of the first certificate'],
  ];
  for (const [data, says] of faults) {
    await patchSecret(world, namespace, 'login', { data });
    await untilAuthority(where, { status: 'False', reason: 'CredentialsRefused', says });
  }
  // With less than five minutes left, step-ca's least life can't be had.
  const ending = await leaf(below, { subject, ...lasting(240_000) });
  await patchSecret(world, namespace, 'login', { data: dataOf(ending, [below]) });
  await untilAuthority(where);
  await create(world, clientCertificate(namespace, 'late'));
  const { conditions = [] } = await untilReady(world, namespace, 'late', {
    status: 'False',
    reason: 'CredentialsRefused',
  });
  assert.match(conditions.find(({ type }) => type === 'Ready')?.message ?? '', 'signs the tokens and ends at');
  await patchSecret(world, namespace, 'login', {
    data: dataOf(await leaf(below, { subject, ...lasting(7_200_000) }), [below]),
  });
  await untilReady(world, namespace, 'late');
});

test('K8sSA: the token of a ServiceAccount from a Secret, as the page says, again and again', async () => {
  const { ca, ...where } = await somewhere();
  const { world, namespace } = where;
  const { cluster } = world;
  await kubectl(where, ca, K8SSA);
  const { stdout: jwks } = await cluster.kubectl(['get', '--raw', '/openid/v1/jwks']);
  const [key] = JSON.parse(jwks).keys;
  const keys = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  addK8sSAProvisioner(ca, 'certwheel-k8s', keys, pageTemplateOfK8sSA());
  await ca.start();
  const token = async () =>
    (await cluster.kubectl(['get', 'secret', 'certwheel-step-token', '-n', namespace, '-o', 'jsonpath={.data.token}']))
      .stdout;
  await eventually('the token of the ServiceAccount', async () => (await token()) !== '');
  const provisioner = { name: 'certwheel-k8s', k8sSA: { secretRef: { name: 'certwheel-step-token' } } };
  await createAuthority(where, 'stepCA', specOf(ca, provisioner));
  await untilAuthority(where);
  const identity = { uris: ['spiffe://example.org/b'], dnsNames: ['b.example.org'], emailAddresses: ['b@example.org'] };
  await create(world, clientCertificate(namespace, 'bob', identity));
  await untilReady(world, namespace, 'bob');
  await renewAt(world, namespace, 'bob');
  await untilRevision(world, namespace, 'bob-tls', 2);

  const { stdout: modern } = await cluster.kubectl(['create', 'token', 'certwheel-step', '-n', namespace]);
  const [header, payload] = Buffer.from(await token(), 'base64')
    .toString()
    .split('.');
  const wrong: [Record<string, string>, string][] = [
    [{ token: base64(modern.trim()) }, 'its issuer must be kubernetes/serviceaccount'],
    [{ token: base64('no-token') }, 'its issuer must be kubernetes/serviceaccount'],
    [{ token: base64(`${header}.${payload}.AAAA`) }, 'is signed by none of the 1 keys'],
  ];
  for (const [index, [data, says]] of wrong.entries()) {
    const name = `wrong-${index}`;
    await createSecret(world, namespace, name, { data });
    await createAuthority(where, 'stepCA', specOf(ca, { ...provisioner, k8sSA: { secretRef: { name } } }), name);
    await untilAuthority(where, { status: 'False', reason: 'CredentialsRefused', says }, { name });
  }
  await createAuthority(where, 'stepCA', specOf(ca, { ...provisioner, name: 'certwheel-x5c' }), 'wrong-type');
  const says = 'no provisioner of type K8sSA with the name certwheel-x5c';
  await untilAuthority(where, { status: 'False', reason: 'AuthorityMisconfigured', says }, { name: 'wrong-type' });
});

test.run();
