/**
 * Writes every file that follows from another one. `node tools/generate.ts` writes them in place; with `--check` they
 * are written into a temporary folder and compared with what is committed.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { generateApiReference } from './generate/api-reference.ts';
import { type Definition, readDefinitions } from './generate/crd.ts';
import { generateDashboard } from './generate/dashboard.ts';
import { generateDockerfile } from './generate/dockerfile.ts';
import { generateHelmCrds } from './generate/helm-crds.ts';
import { generateHelmRules } from './generate/helm-rules.ts';
import { generateHelmSchema } from './generate/helm-schema.ts';
import { generateMetricsReference } from './generate/metrics-reference.ts';
import type { Outputs } from './generate/outputs.ts';
import { generateSchemas } from './generate/schemas.ts';
import { generateTypes } from './generate/types.ts';

const COMMAND = 'node tools/generate.ts';
const ROOT = join(import.meta.dirname, '..');

/** One function per kind of output. What doesn't follow from the CRDs (permissions, configuration) is a further line. */
const generators: ((definitions: Definition[]) => Outputs | Promise<Outputs>)[] = [
  generateTypes,
  generateSchemas,
  generateHelmCrds,
  generateApiReference,
  generateHelmRules,
  generateHelmSchema,
  generateDashboard,
  generateMetricsReference,
  generateDockerfile,
];

/** Files of a kind that only the generator makes, so that one which it makes no longer is noticed and removed. */
const owned = [
  { folder: 'src/api/generated', name: /\.ts$/ },
  { folder: 'helm/certwheel/templates', name: /^(crd-.*\.yaml|_rules\.tpl)$/ },
  { folder: 'helm/certwheel', name: /^(values\.schema\.json|README\.md)$/ },
];

async function generateAll(): Promise<Outputs> {
  const definitions = await readDefinitions(join(ROOT, 'crds'));
  const outputs: Outputs = {};
  for (const generate of generators) Object.assign(outputs, await generate(definitions));
  return outputs;
}

async function write(outputs: Outputs, root: string): Promise<void> {
  for (const [path, content] of Object.entries(outputs)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function stale(outputs: Outputs): Promise<string[]> {
  const found: string[] = [];
  for (const { folder, name } of owned) {
    const files = await readdir(join(ROOT, folder)).catch(() => []);
    found.push(...files.filter((file) => name.test(file)).map((file) => `${folder}/${file}`));
  }
  return found.filter((path) => !(path in outputs));
}

/** Compares files, not strings in memory, so that what is checked is what a run would leave on disk. */
async function differing(outputs: Outputs): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'certwheel-generate-'));
  try {
    await write(outputs, folder);
    const found: string[] = [];
    for (const path of Object.keys(outputs)) {
      const committed = await readFile(join(ROOT, path), 'utf8').catch(() => undefined);
      if (committed !== (await readFile(join(folder, path), 'utf8'))) found.push(path);
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main(options: string[]): Promise<number> {
  const unknown = options.filter((option) => option !== '--check');
  if (unknown.length > 0) {
    console.error(`unknown option ${unknown.join(' ')}\nusage: ${COMMAND} [--check]`);
    return 2;
  }
  const outputs = await generateAll();
  const removed = await stale(outputs);
  if (!options.includes('--check')) {
    await write(outputs, ROOT);
    for (const path of removed) await rm(join(ROOT, path));
    console.log(
      `wrote ${Object.keys(outputs)
        .map((path) => basename(path))
        .join(', ')}`,
    );
    return 0;
  }
  const found = await differing(outputs);
  for (const path of found) console.error(`${path} isn't what its source says`);
  for (const path of removed) console.error(`${path} is no longer generated`);
  if (found.length + removed.length === 0) return 0;
  console.error(`\nTo fix this, run\n\n  ${COMMAND}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
