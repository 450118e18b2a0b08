import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allAccept, startJudges, type Verdicts } from '../verifiers/judges.ts';
import { askCertwheel } from './certwheel.ts';
import { buildGoTools } from './go-build.ts';
import { type Kind, TOOLS } from './kind.ts';
import { type Material, makeMaterial } from './material.ts';
import { KINDS, markdownOf, SECTIONS } from './table.ts';
import { findTool } from './tools.ts';
import { askVerifiers, pairProblem } from './verifiers.ts';

const ACCEPTED: Verdicts = { openssl: null, opensslStrict: null, go: null, java: null };

const work = mkdtempSync(join(tmpdir(), 'certwheel-kinds-'));
const tools = new Map<string, Awaited<ReturnType<typeof findTool>>>();
for (const tool of TOOLS) tools.set(tool, await findTool(tool));
const goTools = await buildGoTools();
const judges = await startJudges();
const port = await freePort();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const made = new Map<string, Material>();

function materialOf(kind: Kind): Material {
  const known = made.get(kind.kind);
  if (known !== undefined) return known;
  const tool = tools.get(kind.tool);
  if (tool === undefined || 'missing' in tool) throw new Error(`${kind.tool}: ${tool?.missing}`);
  const folder = join(work, String(made.size));
  mkdirSync(folder);
  const material = makeMaterial(kind, { folder, path: tool.path, environment: tool.environment, port });
  made.set(kind.kind, material);
  return material;
}

async function verifiersAgree(kind: Kind): Promise<void> {
  const material = materialOf(kind);
  if (kind.ground === 'rule') return;
  if (kind.ground === 'form') {
    assert.is.not(pairProblem(material, goTools), undefined, 'crypto/tls of Go loads the pair');
    return;
  }
  const verdicts = await askVerifiers(judges, material, { leaf: kind.leaf ?? {}, policies: kind.leafPolicies ?? [] });
  if (kind.verdict === 'Refused') {
    assert.not(allAccept(verdicts), 'OpenSSL, Go and Java accept a leaf of it');
  } else if (kind.verdict === 'Ready') {
    assert.equal(verdicts, ACCEPTED);
  } else {
    assert.equal({ ...verdicts, opensslStrict: null }, ACCEPTED);
    assert.is.not(verdicts.opensslStrict, null, 'openssl verify -x509_strict accepts a leaf of it');
  }
}

async function certwheelAgrees(kind: Kind): Promise<void> {
  const { verdict, message } = await askCertwheel(materialOf(kind), kind.leaf ?? {}, new Date());
  assert.is(verdict, kind.verdict, message);
  if (kind.message !== undefined) assert.match(message, kind.message);
}

for (const kind of KINDS) {
  const tool = tools.get(kind.tool);
  const missing = tool === undefined || 'missing' in tool ? (tool?.missing ?? 'unknown') : undefined;
  const declare = missing === undefined ? test : test.skip;
  declare(`${kind.kind}: the verifiers say ${kind.verdict}`, () => verifiersAgree(kind));
  declare(`${kind.kind}: Certwheel says ${kind.verdict}`, () => certwheelAgrees(kind));
}
for (const [tool, found] of tools)
  if ('missing' in found) console.log(`skipped, since there is no ${tool}: ${found.missing}`);

test('the table has at least 100 kinds, each once', () => {
  assert.ok(KINDS.length >= 100, `${KINDS.length} kinds`);
  assert.equal(new Set(KINDS.map(({ kind }) => kind)).size, KINDS.length);
});

test('each kind that is not plainly ready has a message and a remedy', () => {
  const silent = KINDS.filter(({ verdict, message, remedy }) => verdict !== 'Ready' && !(message && remedy));
  assert.equal(
    silent.map(({ kind }) => kind),
    [],
  );
});

test('the table of the docs has a row for each kind', () => {
  const rows = markdownOf(SECTIONS)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| Kind') && !line.startsWith('| ---'));
  assert.is(rows.length, KINDS.length);
  assert.equal(
    rows.filter((row) => row.split(/(?<!\\)\|/).length !== 5),
    [],
  );
});

test('the page of the backend has this table; node test/pki/kinds/print.ts prints it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/authorities/secret.md'), 'utf8');
  assert.ok(page.endsWith(`<!-- kinds -->\n\n${markdownOf(SECTIONS)}`));
});

test.after(async () => {
  await judges.stop();
  rmSync(work, { recursive: true, force: true });
});
test.run();
