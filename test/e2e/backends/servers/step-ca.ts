import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Guard, type GuardedProcess, startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { STEP_VERSION } from '../../../programs/catalog.ts';
import { ensureProgram } from '../../../programs/programs.ts';
import type { Pair } from '../../support/openssl.ts';
import { type CaPlace, type ChainPaths, writeChain, writeIntermediate, writeStepCaFiles } from './step-ca-files.ts';

/** A real step-ca with its files. */
export interface StepCa {
  readonly url: string;
  /** Its STEPPATH. */
  readonly folder: string;
  /** PEM of the root that it began with, and its SHA-256 in lower-case hex. */
  readonly root: string;
  readonly fingerprint: string;
  /** Its first intermediate, with the key decrypted. */
  readonly issuer: Pair;
  /** Changes ca.json. Takes a restart. */
  configure(change: (config: CaConfig) => void): void;
  /** Another root with an intermediate of its own, which are not in use yet; answers their paths. */
  makeRoot(): Promise<ChainPaths>;
  /** Another intermediate below the root that it began with. */
  makeIntermediate(): Promise<Omit<ChainPaths, 'root'>>;
  read(name: string): string;
  write(name: string, content: string): void;
  /** Its answer to a GET request, over TLS that is verified against the roots of ca.json. */
  get(path: string): Promise<Answer>;
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
  authority: { provisioners: { readonly name: string }[] };
  [field: string]: unknown;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
}

const HOST = '127.0.0.1';
const CA_PASSWORD = 'password of the CA itself';
export const PASSWORD_FILE = 'password';

/** A step-ca that doesn't run yet. `writeFiles` finds the password in its file already; `flags` are further ones of the program. */
export async function makeStepCa(
  writeFiles: (place: CaPlace) => Promise<void> = writeStepCaFiles,
  flags: readonly string[] = [],
): Promise<StepCa> {
  const program = await ensureProgram('step-ca');
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-step-ca-'));
  const guard = startGuard(folder, { removeFolder: true });
  const port = await freePort();
  const ca = new RunningStepCa(guard, folder, program, port, flags);
  try {
    ca.write(PASSWORD_FILE, CA_PASSWORD);
    await writeFiles({ folder, host: HOST, port, password: CA_PASSWORD });
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
  readonly #program: string;
  readonly #flags: readonly string[];
  #process: GuardedProcess | undefined;

  constructor(guard: Guard, folder: string, program: string, port: number, flags: readonly string[]) {
    this.url = `https://${HOST}:${port}`;
    this.folder = folder;
    this.#guard = guard;
    this.#program = program;
    this.#flags = flags;
  }

  get root(): string {
    return this.read('certs/root_ca.crt');
  }

  get fingerprint(): string {
    return createHash('sha256').update(new X509Certificate(this.root).raw).digest('hex');
  }

  get issuer(): Pair {
    const key = createPrivateKey({ key: this.read('secrets/intermediate_ca_key'), passphrase: CA_PASSWORD });
    return {
      certificate: this.read('certs/intermediate_ca.crt'),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  configure(change: (config: CaConfig) => void): void {
    const config = this.#config();
    change(config);
    this.write('config/ca.json', JSON.stringify(config, null, 2));
  }

  async makeRoot(): Promise<ChainPaths> {
    const paths = {
      root: this.#path('certs/root_2.crt'),
      crt: this.#path('certs/intermediate_2.crt'),
      key: this.#path('secrets/intermediate_2.key'),
    };
    await writeChain(paths, CA_PASSWORD, ' 2');
    return paths;
  }

  async makeIntermediate(): Promise<Omit<ChainPaths, 'root'>> {
    const key = createPrivateKey({ key: this.read('secrets/root_ca_key'), passphrase: CA_PASSWORD });
    const root = { certificate: this.root, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
    const paths = { crt: this.#path('certs/intermediate_3.crt'), key: this.#path('secrets/intermediate_3.key') };
    await writeIntermediate(paths, root, CA_PASSWORD, ' 3');
    return paths;
  }

  async start(): Promise<void> {
    await this.halt();
    const { folder } = this;
    const log = new LogPart(this.#path('step-ca.log'));
    const args = [...this.#flags, '--password-file', this.#path(PASSWORD_FILE), this.#path('config/ca.json')];
    const options = { folder, environment: { STEPPATH: folder, HOME: folder }, logPath: log.path };
    const started = this.#guard.run('step-ca', this.#program, args, options);
    this.#process = started;
    await waitUntilReady(started, log, () => this.#isHealthy());
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

  write(name: string, content: string): void {
    writeFileSync(this.#path(name), content, { mode: 0o600 });
  }

  get(path: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const ca = [this.#config().root].flat().map((file) => readFileSync(file, 'utf8'));
    const call = request(`${this.url}${path}`, { ca, agent: false, timeout: 2_000 }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject);
    call.end();
    return promise;
  }

  async #isHealthy(): Promise<boolean> {
    const { status, body } = await this.get('/health');
    return status === 200 && body.includes('ok');
  }

  #config(): CaConfig {
    return JSON.parse(this.read('config/ca.json'));
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}
