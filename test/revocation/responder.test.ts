/** Real servers with the real responder: they find it, and the list of the CA, by what the certificates of clients say. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { CrlWorld } from '../e2e/revocation/crl-world.ts';
import { startRevocationResponder } from '../e2e/support/responder-process.ts';
import { eventually, oneWorld } from '../e2e/support/world.ts';
import { authority as interopAuthority, SERVER } from '../interop/support/authority.ts';
import { mountSecret, secretFiles } from '../interop/support/mount.ts';
import type { ServerProgram } from '../interop/support/reader.ts';
import type { Call } from '../interop/support/request.ts';
import { newFolder, startOn } from '../interop/support/stage.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { underTraffic } from '../interop/support/traffic.ts';
import { type Holder, pairOf, root, signIntermediate } from '../pki/make.ts';
import { openssl } from '../pki/openssl.ts';
import { onStop } from '../teardown.ts';
import { aGeneration } from '../unit/a-generation.ts';
import { hence, revoked } from '../unit/responder-world.ts';
import { NGINX } from './support/crl-servers.ts';
import { isServed, REFUSED_WITHIN_MS } from './support/crl-stage.ts';
import { derOf, FETCH_SCRIPT } from './support/fetch-script.ts';
import { listsOf } from './support/lists.ts';
import { ocspClients } from './support/ocsp-stage.ts';

const shared = oneWorld();
test.after(shared.stop);

/** An authority that holds the key of an intermediate, and its responder. */
async function scene() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const life = { notBefore: hence(-48), notAfter: hence(4_800) };
  const top = await root(life);
  const signing = await signIntermediate(top, life);
  const authority = new CrlWorld(world, namespace, signing);
  authority.generations = [aGeneration(1, 'Active', pairOf(signing, top))];
  const responder = await startRevocationResponder(world, namespace);
  authority.url = responder.url;
  await authority.look();
  await responder.sync();
  return { authority, responder, top, signing };
}

/** Publishes a list with this certificate on it. */
async function revoke(authority: CrlWorld, client: Holder): Promise<void> {
  authority.revoked = [revoked(client)];
  await eventually('the list is published', async () => {
    const { listed } = await authority.look();
    return listed.has(client.certificate.serialNumber);
  });
}

/** A server with a certificate of another CA; its clients lead to `top`. */
async function started(program: ServerProgram, top: Holder) {
  const other = await interopAuthority(1, 'CA of the server');
  const files = secretFiles({ ...(await other.issue(SERVER)), ca: top.certificate.pem });
  const server = await startOn(program, mountSecret(join(newFolder(), 'tls'), files));
  return { server, ca: other.ca };
}

function callOf({ certificate, key }: Holder, signing: Holder, place: Pick<Call, 'port' | 'ca'>): Call {
  const chain = certificate.pem + signing.certificate.pem;
  return { ...place, client: { certificate: chain, key: encodePrivateKey(key, 'PKCS8') } };
}

for (const program of await ocspClients())
  test(`${program.title} asks the responder that certificates name, and refuses a client as soon as it is listed`, async () => {
    const { authority, top, signing } = await scene();
    const [bad, good] = [await authority.issue(), await authority.issue()];
    const { server, ca } = await started(await program.install(undefined, { more: program.noSessions }), top);
    const call = (client: Holder) => callOf(client, signing, { port: server.port, ca });
    await eventually('the responder has read its keys', () => isServed(call(bad)));
    const { failures } = await underTraffic(
      () => call(good),
      async () => {
        await revoke(authority, bad);
        const startMs = performance.now();
        await eventually('the revoked client is refused', async () => !(await isServed(call(bad))));
        const tookMs = performance.now() - startMs;
        console.log(`# ${program.title}: refused ${tookMs.toFixed(0)} ms after the list was published`);
        assert.ok(tookMs < REFUSED_WITHIN_MS, `${tookMs} ms`);
      },
    );
    assert.equal(failures, []);
    await server.stop();
  });

test('nginx refuses a client by the list that the script fetches from where certificates say', async () => {
  const { authority, responder, top, signing } = await scene();
  const [bad, good] = [await authority.issue(), await authority.issue()];
  const [, url = ''] =
    /URI:(\S+\.crl)/.exec(
      openssl(['x509', '-in', '{pem}', '-noout', '-ext', 'crlDistributionPoints'], { pem: bad.certificate.pem }).out,
    ) ?? [];
  assert.ok(url.startsWith(responder.url), url);
  const folder = temporaryFolder();
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const [, ofTop = ''] = await listsOf([signing, top]);
  const upper = createServer((_, response) => response.end(derOf(ofTop)));
  onStop(() => upper.close());
  await once(upper.listen(0, '127.0.0.1'), 'listening');
  const upperUrl = `http://127.0.0.1:${(upper.address() as AddressInfo).port}`;
  const sources = [url, file('signing.pem', signing.certificate.pem), upperUrl, file('top.pem', top.certificate.pem)];
  const lists = join(folder, 'lists.pem');
  const fetch = () => promisify(execFile)('sh', [FETCH_SCRIPT, lists, 'true', ...sources]);
  await fetch();
  const { server, ca } = await started(await NGINX.install({ crl: lists, folder }), top);
  const call = (client: Holder) => callOf(client, signing, { port: server.port, ca });
  assert.equal([await isServed(call(bad)), await isServed(call(good))], [true, true]);
  await revoke(authority, bad);
  await eventually('the revoked client is refused', async () => {
    await fetch();
    await server.reload();
    return !(await isServed(call(bad)));
  });
  assert.is(await isServed(call(good)), true);
  await server.stop();
});

test.run();
