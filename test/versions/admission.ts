/** One case at least of what each admission policy of the chart allows and denies. */
import * as assert from 'uvu/assert';
import { CSR_LABEL, makeCsr } from '../../src/pki/csr.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { ACCOUNT } from '../chart/support/account.ts';
import { NAMESPACE } from '../chart/support/helm.ts';
import { eventually, type World } from '../e2e/support/world.ts';

const NO_MARKS = /A Secret that Certwheel creates carries its marks/;
const ONLY_TLS = /Secrets of type kubernetes.io\/tls only/;
const NOT_OURS = /This Secret is not Certwheel's, and certwheel.io\/adopt does not hand it over/;
const NO_OWNER = /The only owner that Certwheel gives to a Secret/;
const NO_FINALIZER = /Certwheel sets and removes no finalizers/;
const NO_DELETE = /Certwheel deletes nothing but Secrets of CA generations/;
const ONLY_CERTWHEEL = /keeps the key of a certificate that is awaited; only Certwheel writes it/;
const NOT_MARKED = /only requests that are named certwheel-… and carry the label/;
const NOT_OWN = /approves and removes only requests that it has created itself/;

const UID = { 'certwheel.io/certificate-uid': '1' };
const OF_CERTIFICATE = { labels: { 'certwheel.io/certificate-name': 'alice' }, annotations: UID };
const OF_NEXT_KEY = { labels: { 'certwheel.io/next-of': 'alice' }, annotations: UID };
/** Of a CA generation as it is created, before its key comes in. */
const OF_GENERATION = {
  labels: { 'certwheel.io/authority-name': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' },
};
const OF_REQUEST = {
  labels: { 'app.kubernetes.io/managed-by': 'certwheel' },
  annotations: { 'certwheel.io/client-certificate': 'shop/alice' },
};

const NO_RULE =
  /no rule of ClusterCertificateAuthority versions allows namespace \S+ this certificate: rule teams does not allow "other" in commonNames, but "mine"/;
const NOT_APPROVER = /user owner may not approve for ClusterCertificateAuthority versions/;

type By = 'certwheel' | 'a person' | 'owner';
type Run = (by: By, args: readonly string[], manifest?: object) => Promise<string>;

/** Fails unless the policies decide as they should on this API server, in this namespace. */
export async function provesAdmission(world: World, namespace: string): Promise<void> {
  // Answers why it was denied; empty where it was allowed.
  const run: Run = async (by, args, manifest) => {
    const input = manifest === undefined ? '' : JSON.stringify(manifest);
    const as = { certwheel: ['--as', ACCOUNT], 'a person': [], owner: ['--as', 'owner'] }[by];
    const { code, stderr } = await world.cluster.kubectl([...args, ...as], { allowFailure: true, input });
    return code === 0 ? '' : stderr;
  };
  await secretsOfCertwheel(run, namespace);
  await nextKeys(run, namespace);
  await requests(run);
  await leases(run);
  await issuanceRules(run, namespace);
  await approvals(run, namespace);
}

const PAIR = { 'tls.crt': '', 'tls.key': '' };

function secret(namespace: string, name: string, marks: object, type = 'kubernetes.io/tls', data: object = PAIR) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, ...marks }, type, data };
}

const APPLY = ['apply', '--server-side', '--force-conflicts', '-f', '-'];

async function secretsOfCertwheel(run: Run, namespace: string): Promise<void> {
  const apply = (by: By, name: string, marks: object, type?: string, data?: object) =>
    run(by, APPLY, secret(namespace, name, marks, type, data));
  const remove = (name: string) => run('certwheel', ['delete', 'secret', name, '-n', namespace]);
  // The API server hears of a policy a moment after it is stored.
  await eventually('the policy of Secrets holds', async () => NO_MARKS.test(await apply('certwheel', 'bare', {})));
  assert.is(await apply('certwheel', 'alice-tls', OF_CERTIFICATE), '');
  assert.is(await apply('certwheel', 'ca-ca-v1', OF_GENERATION), '');
  assert.match(await apply('certwheel', 'other-ca-v1', OF_GENERATION), NO_MARKS);
  assert.match(await apply('certwheel', 'opaque', OF_CERTIFICATE, 'Opaque'), ONLY_TLS);
  assert.is(await apply('certwheel', 'keyless', OF_CERTIFICATE, 'Opaque', { 'tls.crt': '' }), '');
  const owner = { apiVersion: 'certwheel.io/v1alpha1', kind: 'ClientCertificate', name: 'alice', uid: '1' };
  const ownedBy = (uid: string) => ({ ...OF_CERTIFICATE, ownerReferences: [{ ...owner, uid }] });
  assert.match(await apply('certwheel', 'alice-tls', ownedBy('2')), NO_OWNER);
  assert.is(await apply('certwheel', 'alice-tls', ownedBy('1')), '');
  assert.match(
    await apply('certwheel', 'alice-tls', { ...OF_CERTIFICATE, finalizers: ['example.com/a'] }),
    NO_FINALIZER,
  );

  assert.is(await apply('a person', 'foreign', {}), '');
  assert.match(await apply('certwheel', 'foreign', OF_CERTIFICATE), NOT_OURS);
  const handOver = ['annotate', 'secret', 'foreign', '-n', namespace, 'certwheel.io/adopt=alice'];
  assert.is(await run('a person', handOver), '');
  assert.is(await apply('certwheel', 'foreign', OF_CERTIFICATE), '');

  assert.match(await remove('alice-tls'), NO_DELETE);
  assert.is(await remove('ca-ca-v1'), '');
}

async function nextKeys(run: Run, namespace: string): Promise<void> {
  const apply = (by: By, name: string) => run(by, APPLY, secret(namespace, name, OF_NEXT_KEY));
  await eventually('the policy of keys holds', async () => ONLY_CERTWHEEL.test(await apply('a person', 'bob-next')));
  assert.is(await apply('certwheel', 'alice-next'), '');
  const patch = (change: object) =>
    run('a person', ['patch', 'secret', 'alice-next', '-n', namespace, '--type=merge', '-p', JSON.stringify(change)]);
  assert.match(await patch({ data: { 'tls.key': 'AA==' } }), ONLY_CERTWHEEL);
  assert.is(await patch({ metadata: { ownerReferences: [] } }), '');
  assert.is(await run('certwheel', ['delete', 'secret', 'alice-next', '-n', namespace]), '');
}

async function requests(run: Run): Promise<void> {
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const der = makeCsr({ key, subject: { commonName: 'alice' }, names: NO_NAMES, usages: [] });
  const spec = {
    request: Buffer.from(toPem(CSR_LABEL, der)).toString('base64'),
    usages: ['client auth'],
    signerName: 'kubernetes.io/kube-apiserver-client',
  };
  const create = (by: By, name: string, marks: object) =>
    run(by, ['create', '-f', '-'], {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name, ...marks },
      spec,
    });
  const remove = (name: string) => run('certwheel', ['delete', 'csr', name]);
  await eventually('the policy of requests holds', async () => NOT_MARKED.test(await create('certwheel', 'bare', {})));
  assert.is(await create('certwheel', 'certwheel-own', OF_REQUEST), '');
  assert.is(await remove('certwheel-own'), '');
  assert.is(await create('a person', 'certwheel-forged', OF_REQUEST), '');
  assert.match(await remove('certwheel-forged'), NOT_OWN);
}

/** A server-side apply that creates is authorized with the name; a POST is not. */
async function leases(run: Run): Promise<void> {
  const lease = (name: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: NAMESPACE, name },
    spec: { holderIdentity: 'certwheel' },
  });
  assert.is(await run('certwheel', APPLY, lease('certwheel')), '');
  assert.match(await run('certwheel', APPLY, lease('another')), /cannot patch resource "leases"/);
  assert.match(await run('certwheel', ['create', '-f', '-'], lease('another')), /cannot create resource "leases"/);
}

const AUTHORITY = { kind: 'ClusterCertificateAuthority', name: 'versions' };
const API_VERSION = 'certwheel.io/v1alpha1';

async function issuanceRules(run: Run, namespace: string): Promise<void> {
  const rules = [{ name: 'teams', namespaces: { names: [namespace] }, commonNames: ['mine'] }];
  const authority = {
    apiVersion: API_VERSION,
    kind: AUTHORITY.kind,
    metadata: { name: AUTHORITY.name },
    spec: {
      selfManaged: { commonName: 'versions' },
      allowedNamespaces: { names: [namespace] },
      issuancePolicy: { rules },
    },
  };
  assert.is(await run('a person', APPLY, authority), '');
  const ask = (commonName: string) =>
    run('a person', [...APPLY, '--dry-run=server'], {
      apiVersion: API_VERSION,
      kind: 'ClientCertificate',
      metadata: { namespace, name: 'ruled' },
      spec: { authorityRef: AUTHORITY, secretName: 'ruled-tls', commonName },
    });
  await eventually('the policy of rules holds', async () => NO_RULE.test(await ask('other')));
  assert.is(await ask('mine'), '');
}

async function approvals(run: Run, namespace: string): Promise<void> {
  const everything = ['--verb=*', '--resource=*.certwheel.io', '-n', namespace];
  assert.is(await run('a person', ['create', 'role', 'owner', ...everything]), '');
  assert.is(
    await run('a person', ['create', 'rolebinding', 'owner', '--role=owner', '--user=owner', '-n', namespace]),
    '',
  );
  const approve = (by: By, approvedBy: string) =>
    run(by, ['create', '--dry-run=server', '-f', '-'], {
      apiVersion: API_VERSION,
      kind: 'CertificateApproval',
      metadata: { namespace, name: 'decision', annotations: { 'certwheel.io/approved-by': approvedBy } },
      spec: {
        clientCertificateRef: { name: 'ruled', uid: '1' },
        authorityRef: AUTHORITY,
        request: { commonName: 'mine' },
        decision: 'Approved',
        validUntil: '2126-01-31T12:00:00Z',
      },
    });
  await eventually('the policy of approvals holds', async () => NOT_APPROVER.test(await approve('owner', 'owner')));
  assert.is(await approve('a person', 'certwheel-admin'), '');
}
