import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { type Guard, type GuardedProcess, startGuard } from '../../cluster/guard.ts';
import { freePort } from '../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../cluster/ready.ts';
import { ensureStepPrograms, STEP_VERSION } from './step-programs.ts';

const run = promisify(execFile);

/** Name, version and address of what is spoken to. */
export const SERVER = `step-ca ${STEP_VERSION}`;

/** A real step-ca with its files, set up by the real step CLI. */
export interface StepCa {
  readonly url: string;
  readonly folder: string;
  /** SHA-256 of the root, lower-case hex. */
  readonly fingerprint: string;
  readonly root: string;
  /** The step CLI, in the folder of the CA, which is its STEPPATH. */
  step(...args: string[]): Promise<string>;
  /** Adds a JWK provisioner by the commands of docs/authorities/step-ca.md, or another key for it. Takes a restart. */
  addProvisioner(name: string, options?: ProvisionerOptions): Promise<Provisioner>;
  /** Changes ca.json. Takes a restart. */
  configure(change: (config: CaConfig) => void): void;
  /** A new root and intermediate take over; the old root stays among the roots. Takes a restart. */
  replaceRoot(): Promise<string>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  halt(): Promise<void>;
  stop(): Promise<void>;
}

export interface CaConfig {
  root: string | string[];
  crt: string;
  key: string;
  [field: string]: unknown;
  authority: { provisioners: Record<string, unknown>[]; [field: string]: unknown };
}

export interface ProvisionerOptions {
  /** Undefined is step-ca's own template. */
  readonly template?: string;
  /** Whether step-ca hands out the encrypted key to whoever asks; otherwise it never sees it. */
  readonly keyOnServer?: boolean;
  readonly password?: string;
}

export interface Provisioner {
  readonly name: string;
  readonly password: string;
  /** The key as `step crypto jwk create` writes it; undefined where step-ca keeps it. */
  readonly key: string | undefined;
}

const HOST = '127.0.0.1';
const PASSWORD = 'password of the CA itself';

export async function startStepCa(): Promise<StepCa> {
  const { step, stepCa } = await ensureStepPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-step-ca-'));
  const guard = startGuard(folder, { removeFolder: true });
  const ca = new RunningStepCa(guard, folder, step, stepCa, await freePort());
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
  readonly #step: string;
  readonly #program: string;
  readonly #port: number;
  #process: GuardedProcess | undefined;

  constructor(guard: Guard, folder: string, step: string, program: string, port: number) {
    this.url = `https://${HOST}:${port}`;
    this.folder = folder;
    this.#guard = guard;
    this.#step = step;
    this.#program = program;
    this.#port = port;
  }

  get root(): string {
    return this.#read('certs/root_ca.crt');
  }

  get fingerprint(): string {
    return createHash('sha256').update(new X509Certificate(this.root).raw).digest('hex');
  }

  async init(): Promise<void> {
    this.#write('password', PASSWORD);
    const names = ['--name', 'Test', '--dns', HOST, '--address', `${HOST}:${this.#port}`];
    const secrets = ['--provisioner', 'admin', '--password-file', this.#path('password')];
    await this.step('ca', 'init', '--deployment-type', 'standalone', ...names, ...secrets);
  }

  async step(...args: string[]): Promise<string> {
    const env = { ...process.env, STEPPATH: this.folder, HOME: this.folder };
    const running = run(this.#step, args, { cwd: this.folder, env });
    running.child.stdin?.end();
    return (await running).stdout;
  }

  async addProvisioner(name: string, options: ProvisionerOptions = {}): Promise<Provisioner> {
    const { template, keyOnServer = false, password = `password of ${name}` } = options;
    this.#write('provisioner-password', password);
    const secret = ['--password-file', this.#path('provisioner-password')];
    const where = ['--ca-config', this.#path('config/ca.json')];
    if (template !== undefined) this.#write('certwheel.tpl', template);
    const shape = template === undefined ? [] : ['--x509-template', this.#path('certwheel.tpl')];
    this.configure(({ authority }) => {
      authority.provisioners = authority.provisioners.filter((each) => each.name !== name);
    });
    const add = ['ca', 'provisioner', 'add', name, '--type', 'JWK', ...where, ...shape];
    if (keyOnServer) {
      await this.step(...add, '--create', ...secret);
      return { name, password, key: undefined };
    }
    const [publicKey, privateKey] = [this.#path('provisioner.pub'), this.#path('provisioner.key')];
    await this.step('crypto', 'jwk', 'create', publicKey, privateKey, ...secret, '--force');
    await this.step(...add, '--public-key', publicKey);
    return { name, password, key: this.#read('provisioner.key') };
  }

  configure(change: (config: CaConfig) => void): void {
    const config = JSON.parse(this.#read('config/ca.json')) as CaConfig;
    change(config);
    this.#write('config/ca.json', JSON.stringify(config, null, 2));
  }

  async replaceRoot(): Promise<string> {
    const secret = ['--password-file', this.#path('password')];
    const [root, rootKey] = [this.#path('certs/root_2.crt'), this.#path('secrets/root_2.key')];
    const [crt, key] = [this.#path('certs/intermediate_2.crt'), this.#path('secrets/intermediate_2.key')];
    await this.step('certificate', 'create', 'Test Root CA 2', root, rootKey, '--profile', 'root-ca', ...secret);
    const signer = ['--ca', root, '--ca-key', rootKey, '--ca-password-file', this.#path('password')];
    const profile = ['--profile', 'intermediate-ca', ...signer, ...secret];
    await this.step('certificate', 'create', 'Test Intermediate CA 2', crt, key, ...profile);
    this.configure((config) => {
      config.root = [root, this.#path('certs/root_ca.crt')];
      config.crt = crt;
      config.key = key;
    });
    return readFileSync(root, 'utf8');
  }

  async start(): Promise<void> {
    await this.halt();
    const log = new LogPart(this.#path('step-ca.log'));
    const args = ['--password-file', this.#path('password'), this.#path('config/ca.json')];
    const environment = { STEPPATH: this.folder, HOME: this.folder };
    const started = this.#guard.run('step-ca', this.#program, args, {
      folder: this.folder,
      environment,
      logPath: log.path,
    });
    this.#process = started;
    await waitUntilReady(started, log, () => isHealthy(`${this.url}/health`, this.#anchors()));
    console.log(`# ${SERVER} at ${this.url}`);
  }

  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  async halt(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.#guard.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #anchors(): string {
    const { root } = JSON.parse(this.#read('config/ca.json')) as CaConfig;
    return [root]
      .flat()
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#process !== undefined) process.kill(-this.#process.pid, name);
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #read(name: string): string {
    return readFileSync(this.#path(name), 'utf8');
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
