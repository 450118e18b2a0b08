import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CSR_LABEL } from '../../../src/pki/csr.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { root } from '../../pki/make.ts';
import { npmPackages } from '../../programs/npm.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { SDK_VERSION } from './cloudflare-subject.ts';
import { newToken, startCloudflare } from './cloudflare-world.ts';

// The fake is as Cloudflare's own client expects it: its types have the fake's members, and it does with the fake all that
// the backend and the trust target do.

const ROOT = join(import.meta.dirname, '../../..');
test.after(stopAll);

/** In a process of its own, which trusts the fake's CA. */
const PROGRAM = `
import Cloudflare from 'SDK';
const { baseURL, apiToken, zone_id, account_id, csr, ca } = JSON.parse(process.argv[2]);
const client = new Cloudflare({ apiToken, baseURL, maxRetries: 0 });
const all = async (pages) => { const found = []; for await (const each of pages) found.push(each); return found; };
const made = await client.clientCertificates.create({ zone_id, csr, validity_days: 1 });
const another = await client.clientCertificates.create({ zone_id, csr, validity_days: 2 });
const listed = await all(client.clientCertificates.list({ zone_id, status: 'active', per_page: 1 }));
const got = await client.clientCertificates.get(made.id, { zone_id });
const revoked = await client.clientCertificates.delete(made.id, { zone_id });
const reactivated = await client.clientCertificates.edit(made.id, { zone_id, reactivate: true });
const uploaded = await client.mtlsCertificates.create({ account_id, ca: true, certificates: ca, name: 'ours' });
const uploads = await all(client.mtlsCertificates.list({ account_id }));
const { hostnameAssociations: associations } = client.certificateAuthorities;
const mtls_certificate_id = uploaded.id;
await associations.update({ zone_id, hostnames: ['api.example.com'], mtls_certificate_id });
const associated = await associations.get({ zone_id, mtls_certificate_id });
const early = await client.mtlsCertificates.delete(uploaded.id, { account_id }).catch((error) => error.errors);
await associations.update({ zone_id, hostnames: [], mtls_certificate_id });
const removed = await client.mtlsCertificates.delete(uploaded.id, { account_id });
const token = await client.user.tokens.verify();
const refused = await client.clientCertificates.get('0'.repeat(32), { zone_id }).catch((error) => ({ status: error.status, errors: error.errors }));
console.log(JSON.stringify({ made, another, listed, got, revoked, reactivated, uploaded, uploads, associated, early, removed, token, refused }));
`;

/** Members of the fake that the SDK doesn't know, or has with another type, stop the compiler; so do calls of ours. */
const TYPES = `
import type { FakeClientCertificate, FakeMtlsCertificate } from '${ROOT}/test/e2e/backends/cloudflare-fake-zone.ts';
import type { ClientCertificate } from 'cloudflare/resources/client-certificates/client-certificates';
import type { MTLSCertificate } from 'cloudflare/resources/mtls-certificates/mtls-certificates';
import type { TokenVerifyResponse } from 'cloudflare/resources/user/tokens/tokens';
type Known<Fake, Real> = Exclude<keyof Fake, keyof Real> extends never ? (Fake extends Real ? true : never) : never;
export const certificate: Known<FakeClientCertificate, ClientCertificate> = true;
export const upload: Known<FakeMtlsCertificate, MTLSCertificate> = true;
export const token: Known<{ id: string; status: 'active' | 'disabled' | 'expired' }, TokenVerifyResponse> = true;
type Read = 'id' | 'serial_number' | 'certificate' | 'csr' | 'validity_days' | 'issued_on' | 'status';
export const read: Read extends keyof ClientCertificate ? true : never = true;
`;

async function sdkFolder(): Promise<string> {
  const load = await npmPackages('cloudflare');
  return dirname(load.resolve('cloudflare'));
}

async function workFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-cloudflare-sdk-'));
  onStop(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

test('the version that the suite prints is that of the SDK', async () => {
  const { version } = JSON.parse(readFileSync(join(await sdkFolder(), 'package.json'), 'utf8'));
  assert.is(version, SDK_VERSION);
});

test('the shapes of the fake are those of the types of the official SDK', async () => {
  const sdk = await sdkFolder();
  const folder = await workFolder();
  writeFileSync(join(folder, 'shapes.ts'), TYPES);
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
    ...{ module: 'nodenext', target: 'es2024', types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
    paths: { 'cloudflare/*': [`${sdk}/*`] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['shapes.ts'] }));
  const { stdout } = await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]).catch(
    (error: { stdout: string }) => error,
  );
  assert.is(stdout, '');
});

test('the official SDK does with the fake all that Certwheel does', async () => {
  const sdk = await sdkFolder();
  const { fake } = await startCloudflare();
  const folder = await workFolder();
  const [program, ca] = [join(folder, 'program.mjs'), join(folder, 'ca.pem')];
  writeFileSync(program, PROGRAM.replace('SDK', pathToFileURL(join(sdk, 'index.mjs')).href));
  writeFileSync(ca, fake.ca);
  const csr = toPem(CSR_LABEL, (await issueRequest()).csr());
  const { zone: zone_id, account: account_id } = fake.zone;
  const apiToken = newToken(fake);
  const own = (await root()).certificate.pem;
  const given = { baseURL: fake.url, apiToken, zone_id, account_id, csr, ca: own };
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(given)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
  });
  const said = JSON.parse(stdout);
  assert.equal(
    said.listed.map(({ id }: { id: string }) => id),
    [said.another.id, said.made.id],
  );
  assert.equal(said.got, said.made);
  assert.is(said.made.csr, csr);
  assert.equal([said.revoked.status, said.reactivated.status], ['pending_revocation', 'pending_reactivation']);
  assert.equal([said.uploads.length, said.uploads[0].name, said.uploads[0].certificates], [1, 'ours', own]);
  assert.equal(said.associated.hostnames, ['api.example.com']);
  assert.is(said.early[0].code, 1416);
  assert.is(said.removed.id, said.uploaded.id);
  assert.is(said.token.status, 'active');
  assert.equal([said.refused.status, said.refused.errors[0].code], [404, 1401]);
});

test.run();
