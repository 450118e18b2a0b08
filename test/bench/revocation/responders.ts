/** How many OCSP answers one core gives: the responder of Certwheel and `openssl ocsp`, in turn, with the same requests. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { freePort } from '../../cluster/ports.ts';
import { CrlWorld } from '../../e2e/revocation/crl-world.ts';
import { startRevocationResponder } from '../../e2e/support/responder-process.ts';
import { eventually, oneWorld } from '../../e2e/support/world.ts';
import { type Holder, leaf, root } from '../../pki/make.ts';
import { opensslFile } from '../../pki/openssl.ts';
import { onStop } from '../../teardown.ts';
import { hence } from '../../unit/responder-world.ts';
import { cpuMsOf } from '../machine/watch.ts';
import { median } from '../statistics.ts';

const [ROUNDS, ROUND_MS, CLIENTS, LISTED, ASKED] = [6, 2_000, 8, 20_000, 20] as const;

interface Candidate {
  readonly title: string;
  readonly url: string;
  readonly pid: number;
  readonly agent: Agent;
  readonly requests: readonly Buffer[];
}

export async function measureResponders(): Promise<void> {
  const shared = oneWorld();
  try {
    const world = await shared.get();
    const namespace = await world.namespace();
    const ca = await root({ notBefore: hence(-48), notAfter: hence(4_800) });
    const authority = new CrlWorld(world, namespace, ca);
    const responder = await startRevocationResponder(world, namespace);
    authority.url = responder.url;
    const listed = Array.from({ length: LISTED }, () => `4a${randomBytes(18).toString('hex')}`);
    authority.revoked = listed.map((serialNumber) => ({
      serialNumber,
      revokedAt: hence(-1),
      reason: 'keyCompromise',
      notAfter: hence(100),
    }));
    await authority.look();
    await responder.sync();
    const clients: Holder[] = [];
    for (let count = 0; count < ASKED; count++) clients.push(await authority.issue());
    const [fresh, repeated] = [requestsFor(ca, clients, []), requestsFor(ca, clients, ['-no_nonce'])];
    const url = `${responder.url}/ocsp/${authority.uid}/v1`;
    await eventually('answers', async () => (await ask(url, new Agent(), fresh[0] as Buffer)).length > 200);
    const theirs = await startOpenssl(ca, clients, listed);
    const ours = { url, pid: responder.pid };
    const [keeping, closing] = [() => new Agent({ keepAlive: true, maxSockets: CLIENTS }), () => new Agent()];
    await compare([
      { title: 'Certwheel, nonce, kept connections', ...ours, agent: keeping(), requests: fresh },
      { title: 'Certwheel, nonce, new connections', ...ours, agent: closing(), requests: fresh },
      { title: 'Certwheel, no nonce, new connections', ...ours, agent: closing(), requests: repeated },
      { title: 'openssl ocsp, nonce, new connections', ...theirs, agent: closing(), requests: fresh },
      { title: 'openssl ocsp, no nonce, new connections', ...theirs, agent: closing(), requests: repeated },
    ]);
  } finally {
    await shared.stop();
  }
}

/** Forwards and backwards in turn: what else the machine does hits all alike. */
async function compare(candidates: readonly Candidate[]): Promise<void> {
  const figures = new Map<Candidate, number[]>(candidates.map((each) => [each, []]));
  for (const each of candidates) await round(each);
  for (let turn = 0; turn < ROUNDS; turn++)
    for (const each of turn % 2 === 0 ? candidates : candidates.toReversed())
      figures.get(each)?.push(await round(each));
  console.log(`${''.padEnd(44)} answers a second of CPU: median, least, most`);
  for (const [{ title }, all] of figures)
    console.log(`${title.padEnd(44)} ${[median(all), Math.min(...all), Math.max(...all)].map(Math.round).join(' ')}`);
}

/** Answers in a second of the processor time of the responder. */
async function round({ url, pid, agent, requests }: Candidate): Promise<number> {
  const [before, end] = [cpuMsOf(pid), performance.now() + ROUND_MS];
  let count = 0;
  const client = async () => {
    while (performance.now() < end) {
      const body = await ask(url, agent, requests[count++ % requests.length] as Buffer);
      // A failure is shorter.
      if (body.length < 200) throw new Error(`${url} has not answered`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (count * 1_000) / (cpuMsOf(pid) - before);
}

async function ask(url: string, agent: Agent, body: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const headers = { 'content-type': 'application/ocsp-request', 'content-length': body.length };
  const sent = request(url, { method: 'POST', agent, headers }, (response) => {
    buffer(response).then(resolve, reject);
  });
  sent.on('error', reject).end(body);
  return promise;
}

function requestsFor(ca: Holder, clients: readonly Holder[], more: readonly string[]): readonly Buffer[] {
  const args = ['ocsp', '-issuer', '{ca}', '-cert', '{leaf}', '-reqout', '{out}', ...more];
  return clients.map(({ certificate }) => opensslFile(args, { ca: ca.certificate.pem, leaf: certificate.pem }));
}

/** With the same certificates in its index, and a key of the same kind. */
async function startOpenssl(ca: Holder, clients: readonly Holder[], listed: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-bench-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const life = { notBefore: hence(-1), notAfter: hence(100) };
  const signing = await leaf(ca, { ...life, usages: ['digital signature', 'ocsp signing'] });
  const good = clients.map(({ certificate }) => `V\t491231235959Z\t\t${certificate.serialNumber.toUpperCase()}`);
  const bad = listed.map((serial) => `R\t491231235959Z\t260101000000Z,keyCompromise\t${serial.toUpperCase()}`);
  const files = {
    'index.txt': [...good, ...bad].map((line, at) => `${line}\tunknown\t/CN=client ${at}\n`).join(''),
    'ca.pem': ca.certificate.pem,
    'ocsp.pem': signing.certificate.pem,
    'ocsp.key': encodePrivateKey(signing.key, 'PKCS8'),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const pair = ['-rsigner', 'ocsp.pem', '-rkey', 'ocsp.key'];
  const args = [
    'ocsp',
    '-port',
    String(port),
    '-index',
    'index.txt',
    '-CA',
    'ca.pem',
    ...pair,
    '-nmin',
    '60',
    '-ignore_err',
  ];
  const child = spawn('openssl', args, { cwd: folder, stdio: 'ignore' });
  onStop(() => child.kill());
  const [request = Buffer.alloc(0)] = requestsFor(ca, clients, []);
  // It hangs for ever after a connection that ends without a request.
  await eventually('openssl ocsp answers', () => ask(url, new Agent(), request).catch(() => undefined));
  return { url, pid: child.pid ?? 0 };
}
