import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createIssuer, issueServer } from '../../../cluster/certificates.ts';
import { type Guard, type GuardedProcess, startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { VAULT_VERSION } from '../../../programs/catalog.ts';
import { ensurePrograms } from '../../../programs/programs.ts';
import { openBao } from './openbao.ts';

const HOST = '127.0.0.1';
/** Paths of a server and of its plugins. */
interface Programs {
  readonly name: string;
  readonly vault: string;
  /** By the auth method that each of them is. */
  readonly plugins: Readonly<Record<string, string>>;
}

export interface VaultOptions {
  /** Auth methods beyond those that are built in. */
  readonly plugins?: readonly ('kubernetes' | 'aws')[];
  /** PEM of the CAs that it trusts in place of those of the system. */
  readonly trusts?: string;
  /** OpenBao in place of Vault; it has the auth method `kubernetes` built in. */
  readonly isOpenBao?: boolean;
}

/** What Vault answers: `data` or `auth` in most cases. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: {
    readonly data?: Record<string, unknown>;
    readonly auth?: { readonly client_token: string; readonly accessor: string };
    readonly keys?: readonly string[];
    readonly root_token?: string;
    readonly sealed?: boolean;
    readonly errors?: readonly string[];
  };
}

/** A real Vault, or OpenBao: TLS, files for storage, initialised and unsealed. */
export interface Vault {
  readonly url: string;
  readonly rootToken: string;
  /** The namespace that all of this is about, where there is one; not of Kubernetes. */
  readonly namespace?: string;
  /** PEM of the CA of its TLS certificate. */
  readonly ca: string;
  /** Another TLS certificate of that CA for the same host, for what stands in front of it. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Runs shell commands as an administrator would: with the vault CLI, logged in as root, in the folder of the server. */
  sh(commands: string, env?: Readonly<Record<string, string>>): Promise<string>;
  /** The HTTP API, as root unless told. */
  api(method: string, path: string, body?: object, token?: string): Promise<VaultAnswer>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Gone until the next start, which leaves it unsealed. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Starts another node, which stands by while this one is active; answers its address. */
  addStandby(): Promise<string>;
  stop(): Promise<void>;
}

export async function startVault({
  plugins = ['kubernetes'],
  trusts,
  isOpenBao = false,
}: VaultOptions = {}): Promise<Vault> {
  const programs = isOpenBao ? await openBao() : await vaultPrograms(plugins);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-vault-'));
  const guard = startGuard(folder, { removeFolder: true });
  const vault = new RunningVault(guard, folder, programs, [await freePort(), await freePort()], trusts);
  try {
    await vault.init();
    return vault;
  } catch (error) {
    await vault.stop();
    throw error;
  }
}

/** A new namespace of OpenBao: the same server, as those see it whose requests name that namespace. */
export async function namespaceOf(vault: Vault, namespace: string): Promise<Vault> {
  await vault.api('POST', `sys/namespaces/${namespace}`, {});
  return {
    url: vault.url,
    rootToken: vault.rootToken,
    namespace,
    ca: vault.ca,
    tls: vault.tls,
    sh: (commands, env) => vault.sh(commands, { VAULT_NAMESPACE: namespace, ...env }),
    // In front of a path it means the same as in the header.
    api: (method, path, body, token) => vault.api(method, `${namespace}/${path}`, body, token),
    seal: () => vault.seal(),
    unseal: () => vault.unseal(),
    halt: () => vault.halt(),
    start: () => vault.start(),
    addStandby: () => vault.addStandby(),
    stop: () => vault.stop(),
  };
}

async function vaultPrograms(plugins: NonNullable<VaultOptions['plugins']>): Promise<Programs> {
  const names = plugins.map((plugin) => `vault-plugin-auth-${plugin}` as const);
  const paths = await ensurePrograms(['vault', ...names]);
  const byMethod = plugins.map((plugin) => [plugin, paths[`vault-plugin-auth-${plugin}`]] as const);
  return { name: `HashiCorp Vault ${VAULT_VERSION}`, vault: paths.vault, plugins: Object.fromEntries(byMethod) };
}

class RunningVault implements Vault {
  readonly url: string;
  readonly ca: string;
  readonly tls: Vault['tls'];
  rootToken = '';
  readonly #guard: Guard;
  readonly #folder: string;
  readonly #programs: Programs;
  #unsealKey = '';
  #isAlone = true;
  readonly #environment: Readonly<Record<string, string>> = {};
  #process: GuardedProcess | undefined;

  constructor(guard: Guard, folder: string, programs: Programs, ports: [number, number], trusts: string | undefined) {
    this.url = `https://${HOST}:${ports[0]}`;
    this.#guard = guard;
    this.#folder = folder;
    this.#programs = programs;
    const issuer = createIssuer('CA of the TLS certificate of Vault');
    this.ca = issuer.certificatePem;
    const { certificatePem, keyPem } = issueServer(issuer, [HOST, 'localhost']);
    const other = issueServer(issuer, [HOST]);
    this.tls = { cert: other.certificatePem, key: other.keyPem };
    mkdirSync(this.#path('plugins'));
    // Not a link: Vault resolves it, and takes no plugin from elsewhere.
    for (const path of Object.values(programs.plugins)) copyFileSync(path, this.#path(`plugins/${basename(path)}`));
    if (trusts !== undefined) {
      this.#write('trusted.crt', trusts);
      this.#environment = { SSL_CERT_FILE: this.#path('trusted.crt') };
    }
    this.#write('ca.crt', issuer.certificatePem);
    this.#write('server.crt', certificatePem);
    this.#write('server.key', keyPem);
    this.#configure('one', ports);
  }

  async init(): Promise<void> {
    await this.#launch();
    const { body } = await this.api('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }, '');
    [this.#unsealKey = ''] = body.keys ?? [];
    this.rootToken = body.root_token ?? '';
    await this.unseal();
    for (const [method, path] of Object.entries(this.#programs.plugins)) {
      const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
      await this.api('PUT', `sys/plugins/catalog/auth/${method}`, { sha256, command: basename(path) });
    }
  }

  async sh(commands: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const PATH = [dirname(this.#programs.vault), process.env.PATH].join(delimiter);
    const own = { VAULT_ADDR: this.url, VAULT_CACERT: this.#path('ca.crt'), VAULT_TOKEN: this.rootToken };
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', commands], {
      cwd: this.#folder,
      env: { HOME: this.#folder, ...own, ...env, PATH },
    });
    return stdout;
  }

  async api(method: string, path: string, body?: object, token = this.rootToken): Promise<VaultAnswer> {
    const answer = await this.#ask(this.url, method, path, body, token);
    if (answer.status >= 400 && token === this.rootToken)
      throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.body.errors?.join('; ')}`);
    return answer;
  }

  async #ask(url: string, method: string, path: string, body?: object, token = ''): Promise<VaultAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<VaultAnswer>();
    const headers = token === '' ? {} : { 'x-vault-token': token };
    const call = request(`${url}/v1/${path}`, { method, headers, ca: this.ca, agent: false }, (response) => {
      text(response).then(
        (found) => resolve({ status: response.statusCode ?? 0, body: found === '' ? {} : JSON.parse(found) }),
        reject,
      );
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  /** It answers before it is what it will be: active is 200, standing by is 429. */
  async #unseal(url: string, until: readonly number[]): Promise<void> {
    await this.#ask(url, 'PUT', 'sys/unseal', { key: this.#unsealKey });
    for (;;) {
      const { status } = await this.#ask(url, 'GET', 'sys/health');
      if (until.includes(status)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async seal(): Promise<void> {
    await this.api('PUT', 'sys/seal');
  }

  async unseal(): Promise<void> {
    // With another node, either of them may become the active one.
    await this.#unseal(this.url, this.#isAlone ? [200] : [200, 429]);
  }

  async addStandby(): Promise<string> {
    const ports: [number, number] = [await freePort(), await freePort()];
    const url = `https://${HOST}:${ports[0]}`;
    this.#configure('two', ports);
    this.#isAlone = false;
    await this.#run('two', url);
    await this.#ask(url, 'POST', 'sys/storage/raft/join', { leader_api_addr: this.url, leader_ca_cert: this.ca });
    await this.#unseal(url, [429]);
    return url;
  }

  async halt(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async start(): Promise<void> {
    await this.#launch();
    await this.unseal();
  }

  async stop(): Promise<void> {
    await this.#guard.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    await this.halt();
    this.#process = await this.#run('one', this.url);
    console.log(`# ${this.#programs.name} at ${this.url}`);
  }

  async #run(node: string, url: string): Promise<GuardedProcess> {
    const log = new LogPart(this.#path(`${node}.log`));
    const args = ['server', '-config', this.#path(`${node}.json`)];
    const started = this.#guard.run('vault', this.#programs.vault, args, {
      folder: this.#folder,
      environment: { HOME: this.#folder, ...this.#environment },
      logPath: log.path,
    });
    await waitUntilReady(started, log, async () => (await this.#ask(url, 'GET', 'sys/seal-status')).status === 200);
    return started;
  }

  #configure(node: string, [port, clusterPort]: [number, number]): void {
    mkdirSync(this.#path(node));
    const files = { tls_cert_file: this.#path('server.crt'), tls_key_file: this.#path('server.key') };
    const config = {
      // Elections within seconds, after a start too.
      storage: { raft: { path: this.#path(node), node_id: node, performance_multiplier: 1 } },
      cluster_addr: `https://${HOST}:${clusterPort}`,
      listener: [{ tcp: { address: `${HOST}:${port}`, cluster_address: `${HOST}:${clusterPort}`, ...files } }],
      api_addr: `https://${HOST}:${port}`,
      plugin_directory: this.#path('plugins'),
      disable_mlock: true,
      ui: false,
    };
    this.#write(`${node}.json`, JSON.stringify(config));
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #write(name: string, content: string): void {
    writeFileSync(this.#path(name), content, { mode: 0o600 });
  }
}
