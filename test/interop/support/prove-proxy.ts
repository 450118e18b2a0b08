/** The tests of a proxy that shows a certificate to its upstream, and hands on the identity of its own client. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { authority, type Credentials, SERVER } from './authority.ts';
import { available } from './available.ts';
import { type Mount, mountSecret, secretFiles } from './mount.ts';
import type { ServerProgram } from './reader.ts';
import { type Call, request } from './request.ts';
import { startStage } from './stage.ts';
import { underTraffic } from './traffic.ts';
import { type SeenByUpstream, startUpstream } from './upstream.ts';

export interface Proxy {
  readonly title: string;
  /** Throws Unavailable. */
  install(): Promise<unknown>;
  /** With the mounted Secret for its upstream, which listens on that port; `folder` is for files. */
  configure(upstream: { directory: string; port: number; folder: string }): Promise<ServerProgram>;
  /** The header names with which it hands on the identity, by what they hold. */
  readonly headers: Readonly<Record<'subject' | 'serial', string>>;
  /** What it answers where it does not trust its upstream. */
  readonly badUpstream: number;
}

/** Names under which applications look for the identity of a client: none may come from the client itself. */
const SPOOFED = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Subject',
  'X-SSL-Client-Serial',
  'X-SSL-Client-URI',
  'X-SSL-Client-Cert',
  'X-Forwarded-Client-Cert',
  'x-ssl-CLIENT-subject',
  'X_SSL_Client_Subject',
  'X_Forwarded_Client_Cert',
];
const SPOOF = 'CN=admin';

export async function proveProxy(proxy: Proxy): Promise<void> {
  if ((await available(proxy.title, proxy.install)) === undefined) return;
  test.after(stopAll);

  test(`${proxy.title} shows its certificate to the upstream, and hands on the identity of its client`, async () => {
    const { ask, shown, ca } = await startProxy(proxy);
    const client = await ca.issue({ names: { uris: ['spiffe://example.com/ns/shop/sa/orders'] } });
    const { proxySerial, headers } = await ask(client);
    assert.is(proxySerial, shown.serial);
    const value = (name: string) => headers.filter(([each]) => each === name).map(([, text]) => text);
    assert.equal(value(proxy.headers.subject), [`CN=${client.commonName}`]);
    assert.equal(
      value(proxy.headers.serial).map((each) => each.toLowerCase()),
      [client.serial],
    );
  });

  for (const uris of [['spiffe://example.com/ns/shop/sa/orders'], []]) {
    test(`${proxy.title} removes identity headers of a client ${uris.length === 0 ? 'without' : 'with'} a URI`, async () => {
      const { ask, ca } = await startProxy(proxy);
      const client = await ca.issue({ names: { uris } });
      for (const name of SPOOFED) {
        const { headers } = await ask(client, { [name]: SPOOF });
        assert.equal(
          headers.filter(([, text]) => text.includes(SPOOF)),
          [],
          name,
        );
        const subjects = headers.filter(([each]) => each.replaceAll('_', '-') === proxy.headers.subject);
        assert.equal(subjects, [[proxy.headers.subject, `CN=${client.commonName}`]], name);
      }
    });
  }

  test(`${proxy.title} does not pass a request to an upstream of another CA, or to a client's certificate`, async () => {
    for (const wrong of [
      { issuer: await authority(2, 'Another CA'), wish: SERVER },
      { issuer: undefined, wish: { ...SERVER, names: { dnsNames: ['orders.shop.svc'] } } },
    ]) {
      const { call, ca } = await startProxy(proxy, async (upstreamCa) =>
        (wrong.issuer ?? upstreamCa).issue(wrong.wish),
      );
      assert.is((await request(call(await ca.issue()))).status, proxy.badUpstream);
    }
  });

  test(`${proxy.title} loads a new certificate for its upstream under requests, and none fails`, async () => {
    const { ask, call, ca, upstreamCa, mount, server } = await startProxy(proxy);
    const client = await ca.issue();
    const { requests, failures } = await underTraffic(
      () => call(client),
      async () => {
        for (let rotation = 1; rotation <= 3; rotation++) {
          const next = await upstreamCa.issue();
          mount.swap(secretFiles(next));
          await server.reload();
          await eventually(
            `the upstream sees certificate ${rotation}`,
            async () => (await ask(client)).proxySerial === next.serial,
          );
        }
      },
    );
    console.log(`# ${requests} requests over three rotations of the certificate for the upstream`);
    assert.equal(failures, []);
  });
}

type Issuer = Awaited<ReturnType<typeof authority>>;

/** A proxy between clients of one CA and an upstream of another. */
async function startProxy(proxy: Proxy, upstreamOwn = (ca: Issuer): Promise<Credentials> => ca.issue(SERVER)) {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-proxy-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const [ca, upstreamCa] = [await authority(2, 'Front CA'), await authority(3, 'Upstream CA')];
  const upstream = await startUpstream(await upstreamOwn(upstreamCa), upstreamCa.ca);
  const shown = await upstreamCa.issue();
  const mount: Mount = mountSecret(join(folder, 'upstream-tls'), secretFiles(shown));
  const program = await proxy.configure({ directory: mount.directory, port: upstream.port, folder });
  const { server, own } = await startStage(program, await ca.issue(SERVER));
  const call = (client: Credentials, headers: Call['headers'] = {}): Call => ({
    port: server.port,
    ca: own.ca,
    client,
    headers,
  });
  const ask = async (client: Credentials, headers?: Call['headers']): Promise<SeenByUpstream> => {
    const { status, body } = await request(call(client, headers));
    assert.is(status, 200, body);
    return JSON.parse(body);
  };
  return { ask, call, ca, upstreamCa, shown, mount, server };
}
