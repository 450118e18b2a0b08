import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_SIGNING_REQUESTS as CSRS } from '../../../src/api/names.ts';
import { untilAuthority, untilClusterAuthority } from '../backends/place.ts';
import { requestsFor } from '../backends/support.ts';
import { clusterUser, ensureNamespace, SYSTEM_NAMESPACE } from '../process/support/access.ts';
import { loginWith, makeAdministrators, putClusterCa, rightsOfEverybody } from '../support/cluster-ca.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneWorld } from '../support/world.ts';

// The attack: a tenant of an authority that was copied from the examples asks to be an administrator of the cluster. Every
// example is applied as it stands, and the CA behind each is the one of the API server's --client-ca-file, where it can be.

const ROOT = join(import.meta.dirname, '../../..');
const NAMESPACE = 'payments';
const ADMINS = ['kubeadm:cluster-admins', 'platform-admins'];

/** Whose certificates are no logins here. */
const OTHER_CA: Readonly<Record<string, string>> = {
  selfManaged: 'makes a CA of its own, which the API server does not trust',
  vault: 'needs a server that holds the CA',
  stepCA: 'needs a server that holds the CA',
  awsPrivateCA: 'needs an account of AWS that holds the CA',
  cloudflare: 'gives out no certificates of the CA of an API server',
  acme: 'needs a server that holds the CA',
  googleCAS: 'needs an account at Google that holds the CA',
  external: 'needs a person who holds the CA',
  pkcs11: 'needs an HSM that holds the key of the CA',
  certManager: 'needs cert-manager with an issuer that holds the CA',
};

interface Authority {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly secret?: { readonly name: string };
    readonly kubernetesCSR?: { readonly signerName: string };
    readonly issuancePolicy?: {
      readonly rules: readonly { readonly subject?: { readonly organizations?: string[] } }[];
    };
  };
}

const objects = globSync('examples/**/*.yaml', { cwd: ROOT }).flatMap(
  (file) => loadAll(readFileSync(join(ROOT, file), 'utf8')) as Authority[],
);
const authorities = objects.filter(({ kind }) => kind.endsWith('CertificateAuthority'));
const isCluster = ({ kind }: Authority) => kind === 'ClusterCertificateAuthority';
const placeOf = ({ metadata }: Authority) => metadata.namespace ?? NAMESPACE;
const logins = authorities.filter(({ spec }) => spec.secret !== undefined || spec.kubernetesCSR !== undefined);

const worlds = oneWorld({
  controllers: ['certificatesigningrequest-signing-controller', 'root-ca-certificate-publisher-controller'],
});
test.after(worlds.stop);

const scene = lazily(async () => {
  const world = await worlds.get();
  const { cluster } = world;
  const namespaces = new Set([SYSTEM_NAMESPACE, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])]);
  for (const name of namespaces) await ensureNamespace(world, name);
  await cluster.kubectl(['label', 'namespace', NAMESPACE, 'example.com/platform-ca=allowed']);
  await cluster.kubectl(['apply', '--server-side', '--recursive', '-f', join(ROOT, 'examples')]);
  for (const each of logins)
    if (each.spec.secret !== undefined)
      await putClusterCa(world, isCluster(each) ? SYSTEM_NAMESPACE : placeOf(each), each.spec.secret.name);
  for (const group of ADMINS) await makeAdministrators(world, group);
  // As approver.yaml names it, with what the chart gives it.
  const kubeconfig = await clusterUser(world, `system:serviceaccount:${SYSTEM_NAMESPACE}:certwheel`);
  const controller = world.launch(['--controller-namespace', SYSTEM_NAMESPACE], kubeconfig);
  return { world, controller };
});

test('every example authority is judged, or can not be one of the API server', () => {
  const others = authorities.filter((each) => !logins.includes(each)).flatMap(({ spec }) => Object.keys(spec)[0] ?? []);
  assert.equal(others.sort(), [
    'acme',
    'awsPrivateCA',
    'certManager',
    'cloudflare',
    'external',
    'googleCAS',
    'pkcs11',
    ...Array(14).fill('selfManaged'),
    ...Array(2).fill('stepCA'),
    ...Array(3).fill('vault'),
  ]);
  assert.equal([...new Set(others)].sort(), Object.keys(OTHER_CA).sort());
  assert.equal(
    logins.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      'ClusterCertificateAuthority platform',
      'CertificateAuthority payments-ca',
      'ClusterCertificateAuthority kubernetes-clients',
    ],
  );
  // Whoever signs in by it is a user of the cluster.
  for (const { spec } of logins)
    if (spec.kubernetesCSR !== undefined)
      assert.is(spec.kubernetesCSR.signerName, 'kubernetes.io/kube-apiserver-client');
});

for (const authority of logins) {
  const { kind, metadata, spec } = authority;
  const { name } = metadata;
  const authorityRef = { kind, name };
  const namespace = placeOf(authority);
  const allowed = isCluster(authority)
    ? (spec.issuancePolicy?.rules ?? []).flatMap(({ subject }) => subject?.organizations ?? [])
    : ['Example'];

  test(`${kind} ${name}: a holder of a certificate may do what every user may`, async () => {
    const { world } = await scene.get();
    await (isCluster(authority)
      ? untilClusterAuthority(world, name)
      : untilAuthority({ world, namespace }, {}, { name }));
    const wishes = {
      plain: {},
      // The user in the kubeconfig that kubeadm writes.
      admin: { commonName: 'kubernetes-admin' },
      ...(allowed.length === 0 ? {} : { member: { subject: { organizations: allowed } } }),
    };
    for (const [wish, fields] of Object.entries(wishes))
      await create(world, clientCertificate(namespace, `${name}-${wish}`, { authorityRef, duration: '1h', ...fields }));
    const everybody = await rightsOfEverybody(world, namespace);
    for (const wish of Object.keys(wishes)) {
      await untilReady(world, namespace, `${name}-${wish}`);
      const login = await loginWith(world, namespace, `${name}-${wish}-tls`);
      assert.is(login.user, wish === 'admin' ? 'kubernetes-admin' : `${name}-${wish}`);
      assert.equal(login.groups.sort(), [...(wish === 'member' ? allowed : []), 'system:authenticated'].sort());
      assert.not(login.isAdministrator);
      assert.equal(login.rights, everybody);
    }
  });

  test(`${kind} ${name}: no holder becomes an administrator`, async () => {
    const { world, controller } = await scene.get();
    const wishes: Record<string, { reason: string; organizations: string[] }> = {
      kubeadm: { reason: 'SystemIdentityDenied', organizations: ['kubeadm:cluster-admins'] },
      masters: { reason: 'SystemIdentityDenied', organizations: [...allowed, 'system:masters'] },
      // In a namespace of its own CA, whoever owns it decides who its members are.
      ...(isCluster(authority) && { platform: { reason: 'DeniedByPolicy', organizations: ['platform-admins'] } }),
      ...(isCluster(authority) && {
        hidden: { reason: 'DeniedByPolicy', organizations: [...allowed, 'platform-admins'] },
      }),
    };
    for (const [wish, { organizations }] of Object.entries(wishes))
      await create(
        world,
        clientCertificate(namespace, `${name}-${wish}`, { authorityRef, duration: '1h', subject: { organizations } }),
      );
    for (const [wish, { reason }] of Object.entries(wishes)) {
      await untilReady(world, namespace, `${name}-${wish}`, { status: 'False', reason });
      await untilReady(world, namespace, `${name}-${wish}`, { type: 'Stalled', reason });
      assert.is(await readSecret(world, namespace, `${name}-${wish}-tls`), undefined);
      assert.is(signatures(controller, namespace, `${name}-${wish}`), 0);
    }
    const asked = (await requestsFor(world, CSRS, namespace)).map((each) =>
      Object.values(each.metadata?.annotations ?? {}).join(),
    );
    for (const wish of Object.keys(wishes)) assert.not(asked.some((each) => each.includes(`${name}-${wish}`)));
  });
}

test.run();
