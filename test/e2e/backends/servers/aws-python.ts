import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../../../cluster/ports.ts';
import { PIP_REMEDY, pipInstall } from '../../../pki/keystores/readers/build.ts';
import { startLineProcess } from '../../../pki/verifiers/line-process.ts';
import { type Compiled, ensureCompiled } from '../../../programs/compiled.ts';
import { onStop } from '../../../teardown.ts';
import { eventually } from '../../support/eventually.ts';

// AWS's own client and moto, a well-known imitation of AWS, of PyPI.

const PYTHON: Compiled = {
  name: 'aws-python',
  folder: join(import.meta.dirname, 'aws'),
  sources: '{requirements.txt,*.py}',
  build: (source, out) => [pipInstall(join(source, 'requirements.txt'), out), ['cp', `${source}/oracle.py`, out]],
  run: (out) => ['python3', out],
  prove: (out) => ['python3', `${out}/oracle.py`, 'version'],
  compiler: ['python3', '--version'],
  remedy: PIP_REMEDY,
};

/** Builds both where they are missing; answers their folder. */
export async function ensureAwsPython(): Promise<string> {
  const [, folder = ''] = await ensureCompiled(PYTHON);
  return folder;
}

/** What oracle.py answers to a question; see there. */
export interface Oracle {
  ask<T>(question: Readonly<Record<string, unknown>>): Promise<T>;
}

/** It runs until the end of the test file. */
export async function startOracle(): Promise<Oracle> {
  const folder = await ensureAwsPython();
  const process = startLineProcess('botocore', ['python3', join(folder, 'oracle.py')]);
  onStop(() => process.stop());
  return {
    ask: async <T>(question: Readonly<Record<string, unknown>>) => {
      const answer = JSON.parse(await process.ask(JSON.stringify(question)));
      if (answer.error !== undefined) throw new Error(`${question.ask}: ${answer.error}`);
      return answer as T;
    },
  };
}

/** A moto server, by plain HTTP; answers its address. It runs until the end of the test file. */
export async function startMoto(): Promise<string> {
  const folder = await ensureAwsPython();
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    env: { ...process.env, PYTHONPATH: folder, AWS_DEFAULT_REGION: 'eu-central-1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  onStop(async () => {
    child.kill();
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually('moto answers', async () => {
    if (child.exitCode !== null) throw new Error(`moto has ended: ${complaint}`);
    return fetch(`${url}/moto-api/`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return url;
}
