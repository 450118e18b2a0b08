import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { readKeyFile, selfSignedToken } from '../../../src/backends/google-cas/key-file.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { npmPackages } from '../../programs/npm.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { directGoogle } from './google-cas-direct.ts';
import { googleSpec } from './google-cas-subject.ts';
import { createAuthority, place, untilAuthority, untilClusterAuthority } from './place.ts';
import { startGoogleCas } from './servers/google-cas.ts';
import { CERTWHEEL, REQUESTER } from './servers/google-identities.ts';

// The three logins of googleCAS: tokens of a real API server are exchanged, and Google's own client is the oracle.

const POOL = '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters';
const AUDIENCE = `${POOL}/providers/payments`;
const ACCOUNT = 'certwheel-google';
const ALL = [...REQUESTER, ...CERTWHEEL];
const { signal } = new AbortController();

const worlds = oneWorld();
test.after(worlds.stop);
const fake = lazily(startGoogleCas);

/** What a metadata server of GKE answers, on a port of its own; `seen` are the headers of the last request. */
async function metadataServer(token: () => string, flavor = 'Google') {
  const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    seen.push({ path: url, headers });
    response.writeHead(headers['metadata-flavor'] === 'Google' ? 200 : 403, { 'metadata-flavor': flavor });
    response.end(JSON.stringify({ access_token: token(), expires_in: 3_599, token_type: 'Bearer' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const federated = lazily(async () => {
  const [world, google] = await Promise.all([worlds.get(), fake.get()]);
  const raw = async (path: string) => JSON.parse((await world.cluster.kubectl(['get', '--raw', path])).stdout);
  const { issuer } = await raw('/.well-known/openid-configuration');
  google.identities.addProvider(AUDIENCE, { issuer, jwks: await raw('/openid/v1/jwks') });
  const controller = await world.controller(['--allow-loopback-authorities']);
  return { world, google, controller };
});

async function serviceAccount() {
  const shared = await federated.get();
  const where = await place(shared.world);
  await shared.world.cluster.kubectl(['create', 'serviceaccount', ACCOUNT, '--namespace', where.namespace]);
  return { ...shared, where, member: `principal:${POOL}/subject/system:serviceaccount:${where.namespace}:${ACCOUNT}` };
}

const workloadIdentity = (more: object = {}) => ({
  auth: { workloadIdentity: { audience: AUDIENCE, serviceAccountRef: { name: ACCOUNT }, ...more } },
});

test('a token of a ServiceAccount is exchanged, and its principal gets certificates', async () => {
  const { world, google, where, member } = await serviceAccount();
  google.identities.addMember(member, ALL);
  await createAuthority(where, 'googleCAS', googleSpec(google, workloadIdentity()));
  await untilAuthority(where);
  await create(world, clientCertificate(where.namespace, 'alice'));
  await untilReady(world, where.namespace, 'alice');
});

test('a service account is impersonated where the spec names one', async () => {
  const { world, google, where, member } = await serviceAccount();
  const serviceAccountEmail = google.identities.addAccount('impersonated', ALL);
  google.identities.addMember(member, [], [serviceAccountEmail]);
  await createAuthority(where, 'googleCAS', googleSpec(google, workloadIdentity({ serviceAccountEmail })));
  await untilAuthority(where);
  await create(world, clientCertificate(where.namespace, 'alice'));
  await untilReady(world, where.namespace, 'alice');
});

test('each step of a federation that fails is named, with the principal that lacks a right', async () => {
  const { google, where, member } = await serviceAccount();
  const serviceAccountEmail = google.identities.addAccount('locked', ALL);
  const rows = [
    ['plain', workloadIdentity(), `--role=projects/certwheel-test/roles/certwheel --member=${member}`],
    [
      'locked',
      workloadIdentity({ serviceAccountEmail }),
      `add-iam-policy-binding ${serviceAccountEmail} --role=roles/iam.workloadIdentityUser --member=${member}`,
    ],
    [
      'foreign',
      workloadIdentity({ audience: AUDIENCE.replace('payments', 'another') }),
      'gcloud iam workload-identity-pools providers describe',
    ],
    ['absent', workloadIdentity({ serviceAccountRef: { name: 'absent' } }), 'there is no ServiceAccount absent'],
  ] as const;
  for (const [name, spec, says] of rows) {
    await createAuthority(where, 'googleCAS', googleSpec(google, spec), name);
    await untilAuthority(where, { status: 'False', says }, { name });
  }
});

test("a ClusterCertificateAuthority may have the controller's own identity", async () => {
  const [world, google] = await Promise.all([worlds.get(), fake.get()]);
  const email = google.identities.addAccount('controller', ALL);
  const { host, seen } = await metadataServer(() => google.identities.grantTo(email));
  const environment = { GCE_METADATA_HOST: host };
  const spec = googleSpec(google, { auth: { ambient: {} } });
  const backend = directGoogle(spec, { clusterWide: true, environment });
  await backend.check(signal);
  leafOf(await backend.issue(await issueRequest(), signal));
  assert.equal(
    seen.map(({ path, headers }) => [path, headers['metadata-flavor']]),
    [['/computeMetadata/v1/instance/service-accounts/default/token', 'Google']],
  );
  // A token that was revoked is replaced once.
  google.identities.revokeGrants();
  await backend.check(signal);
  assert.is(seen.length, 2);
  assert.throws(() => directGoogle(spec, { environment }), /only a ClusterCertificateAuthority may use/);
  // Here, on no node of GKE, the controller says that there is none.
  await federated.get();
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'ambient' },
    spec: { googleCAS: spec, allowedNamespaces: { names: ['default'] } },
  });
  await untilClusterAuthority(world, 'ambient', {
    status: 'False',
    reason: 'CredentialsNotFound',
    says: 'the metadata server of GKE',
  });
});

test('what is no metadata server gets no further', async () => {
  const google = await fake.get();
  const { host } = await metadataServer(() => 'ya29.of-another-server', 'Other');
  const environment = { GCE_METADATA_HOST: host };
  const backend = directGoogle(googleSpec(google, { auth: { ambient: {} } }), { clusterWide: true, environment });
  const error = await backend.check(signal).then(
    () => assert.unreachable('it was believed') as never,
    (thrown: CertwheelError) => thrown,
  );
  assert.is(error.code, 'CredentialsNotFound');
  assert.match(error.message, 'what answers is not the metadata server');
  assert.not.match(error.message, 'ya29');
});

test("tokens that we sign are byte for byte those of Google's own client", async () => {
  const google = await fake.get();
  const { JWTAccess } = (await npmPackages('google'))('google-auth-library');
  const file = google.identities.keyFile(google.identities.addAccount('oracle', ALL));
  const { client_email: email, private_key: key, private_key_id: keyId } = JSON.parse(file);
  const headers = new JWTAccess(email, key, keyId).getRequestHeaders('https://privateca.googleapis.com/');
  const theirs = String(headers.get('authorization')).replace('Bearer ', '');
  const { iat } = JSON.parse(Buffer.from(theirs.split('.')[1] ?? '', 'base64url').toString());
  assert.is(selfSignedToken(readKeyFile(file, 'here'), new Date(iat * 1_000)), theirs);
});

test("the exchange is that of Google's own client", async () => {
  const google = await fake.get();
  const { ExternalAccountClient } = (await npmPackages('google'))('google-auth-library');
  const bodies: string[] = [];
  const theirs = ExternalAccountClient.fromJSON({
    type: 'external_account',
    audience: AUDIENCE,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    subject_token_supplier: { getSubjectToken: async () => 'header.claims.signature' },
    scopes: ['https://www.googleapis.com/auth/cloud-platform'],
  });
  const answer = { access_token: 'ya29.x', expires_in: 3_600, token_type: 'Bearer', issued_token_type: 'x' };
  theirs.stsCredential.transporter.defaults.fetchImplementation = async (
    _url: unknown,
    { body }: { body: unknown },
  ) => {
    bodies.push(String(body));
    return new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json' } });
  };
  await theirs.getAccessToken();
  const ours: string[] = [];
  const { exchange } = google.identities;
  google.identities.exchange = async (form) => {
    // The controller of the other tests logs in meanwhile.
    if (form.get('subject_token') !== 'header.claims.signature') return exchange.call(google.identities, form);
    ours.push(form.toString());
    return answer;
  };
  const serviceAccountToken = async () => 'header.claims.signature';
  await directGoogle(googleSpec(google, workloadIdentity()), { serviceAccountToken })
    .check(signal)
    .catch(() => {});
  google.identities.exchange = exchange;
  const membersOf = (text = '') => Object.fromEntries(new URLSearchParams(text));
  assert.equal(membersOf(ours[0]), membersOf(bodies[0]));
});

test.run();
