import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { type Guard, type GuardedProcess, startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { STEP_VERSION } from '../../../programs/catalog.ts';
import { ensurePrograms } from '../../../programs/programs.ts';

const run = promisify(execFile);

/** A real step-ca with its files, made by the real step CLI. */
export interface StepCa {
  readonly url: string;
  /** Its STEPPATH. */
  readonly folder: string;
  /** PEM of the root that it began with, and its SHA-256 in lower-case hex. */
  readonly root: string;
  readonly fingerprint: string;
  /** The step CLI, in the folder of the CA. */
  step(...args: string[]): Promise<string>;
  /** Shell commands with step on the PATH, in the folder of the CA. */
  sh(commands: string): Promise<string>;
  /** Changes ca.json. Takes a restart. */
  configure(change: (config: CaConfig) => void): void;
  /** Another root with an intermediate of its own, which nobody uses yet; answers their paths. */
  makeRoot(): Promise<CaFiles>;
  read(name: string): string;
  /** Starts it, or again. */
  start(): Promise<void>;
  halt(): Promise<void>;
  /** The end: its files go too. */
  stop(): Promise<void>;
}

export interface CaConfig {
  root: string | string[];
  crt: string;
  key: string;
  [field: string]: unknown;
}

export type CaFiles = Readonly<Record<'root' | 'crt' | 'key', string>>;

const HOST = '127.0.0.1';
/** Of the keys of its root and its intermediate. */
export const CA_PASSWORD = 'password of the CA itself';

/** Its files are made, it doesn't run yet. */
export async function makeStepCa(): Promise<StepCa> {
  const { 'step-ca': stepCa, step } = await ensurePrograms(['step-ca', 'step']);
  const programs = { stepCa, step };
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-step-ca-'));
  const guard = startGuard(folder, { removeFolder: true });
  const ca = new RunningStepCa(guard, folder, programs, await freePort());
  try {
    await ca.init();
    return ca;
  } catch (error) {
    await ca.stop();
    throw error;
  }
}

class RunningStepCa implements StepCa {
  readonly url: string;
  readonly folder: string;
  readonly #guard: Guard;
  readonly #programs: { readonly step: string; readonly stepCa: string };
  readonly #port: number;
  #process: GuardedProcess | undefined;

  constructor(
    guard: Guard,
    folder: string,
    programs: { readonly step: string; readonly stepCa: string },
    port: number,
  ) {
    this.url = `https://${HOST}:${port}`;
    this.folder = folder;
    this.#guard = guard;
    this.#programs = programs;
    this.#port = port;
  }

  get root(): string {
    return this.read('certs/root_ca.crt');
  }

  get fingerprint(): string {
    return createHash('sha256').update(new X509Certificate(this.root).raw).digest('hex');
  }

  async init(): Promise<void> {
    this.#write('password', CA_PASSWORD);
    const names = ['--name', 'Test', '--dns', HOST, '--address', `${HOST}:${this.#port}`];
    const secrets = ['--provisioner', 'admin', '--password-file', this.#path('password')];
    await this.step('ca', 'init', '--deployment-type', 'standalone', ...names, ...secrets);
  }

  step(...args: string[]): Promise<string> {
    return this.#run(this.#programs.step, args);
  }

  sh(commands: string): Promise<string> {
    return this.#run('bash', ['-euo', 'pipefail', '-c', commands]);
  }

  configure(change: (config: CaConfig) => void): void {
    const config = this.#config();
    change(config);
    this.#write('config/ca.json', JSON.stringify(config, null, 2));
  }

  async makeRoot(): Promise<CaFiles> {
    const secret = ['--password-file', this.#path('password')];
    const files = {
      root: this.#path('certs/root_2.crt'),
      crt: this.#path('certs/intermediate_2.crt'),
      key: this.#path('secrets/intermediate_2.key'),
    };
    const rootKey = this.#path('secrets/root_2.key');
    const create = ['certificate', 'create'];
    await this.step(...create, 'Test Root CA 2', files.root, rootKey, '--profile', 'root-ca', ...secret);
    const signer = ['--ca', files.root, '--ca-key', rootKey, '--ca-password-file', this.#path('password')];
    const profile = ['--profile', 'intermediate-ca', ...signer, ...secret];
    await this.step(...create, 'Test Intermediate CA 2', files.crt, files.key, ...profile);
    return files;
  }

  async start(): Promise<void> {
    await this.halt();
    const { folder } = this;
    const log = new LogPart(this.#path('step-ca.log'));
    const args = ['--password-file', this.#path('password'), this.#path('config/ca.json')];
    const options = { folder, environment: this.#environment(), logPath: log.path };
    const started = this.#guard.run('step-ca', this.#programs.stepCa, args, options);
    this.#process = started;
    const anchors = [this.#config().root].flat().map((path) => readFileSync(path, 'utf8'));
    await waitUntilReady(started, log, () => isHealthy(`${this.url}/health`, anchors.join('')));
    console.log(`# step-ca ${STEP_VERSION} at ${this.url}`);
  }

  async halt(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.#guard.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  read(name: string): string {
    return readFileSync(this.#path(name), 'utf8');
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const PATH = `${dirname(this.#programs.step)}:${process.env.PATH}`;
    const env = { ...process.env, ...this.#environment(), PATH };
    const running = run(program, [...args], { cwd: this.folder, env });
    // step asks questions of a person where it can.
    running.child.stdin?.end();
    return (await running).stdout;
  }

  #environment(): Record<string, string> {
    return { STEPPATH: this.folder, HOME: this.folder };
  }

  #config(): CaConfig {
    return JSON.parse(this.read('config/ca.json'));
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #write(name: string, content: string): void {
    writeFileSync(this.#path(name), content, { mode: 0o600 });
  }
}

function isHealthy(url: string, ca: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const call = request(url, { ca, agent: false, timeout: 2_000 }, (response) => {
    text(response).then((body) => resolve(response.statusCode === 200 && body.includes('ok')), reject);
  });
  call.on('timeout', () => call.destroy(new Error('no answer')));
  call.on('error', reject);
  call.end();
  return promise;
}
