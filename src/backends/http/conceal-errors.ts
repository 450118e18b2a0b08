import { AuthorityError, CertwheelError, RetryableError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';

/** How often the same failure is logged again. */
const LOG_AGAIN_MS = 600_000;

type Deps = Pick<BackendDeps, 'name' | 'clock' | 'log'>;

/**
 * Conceals errors about a server that has not shown to be the expected one: the author of a CertificateAuthority could
 * otherwise find open ports and services of the cluster. All such failures have one code and one message; the log has the
 * details. A ClusterCertificateAuthority keeps them, since only a cluster administrator writes it. `kind` completes "can't
 * be used as".
 */
export function concealErrors<Concealed extends Backend>(
  backend: Concealed,
  server: string,
  kind: string,
  deps: Deps & Pick<BackendDeps, 'clusterWide'>,
): Concealed {
  if (deps.clusterWide) return backend;
  const concealing = new Concealment(server, kind, deps);
  const { revoke, renewalInfo, tryToSign, signProbe } = backend;
  return {
    ...backend,
    check: (signal: AbortSignal) => concealing.around(() => backend.check(signal)),
    trust: (signal: AbortSignal) => concealing.around(() => backend.trust(signal)),
    issue: (...asked: Parameters<Backend['issue']>) => concealing.around(() => backend.issue(...asked)),
    ...(tryToSign && {
      tryToSign: (...asked: Parameters<typeof tryToSign>) => concealing.around(() => tryToSign(...asked)),
    }),
    ...(signProbe && {
      signProbe: (...asked: Parameters<typeof signProbe>) => concealing.around(() => signProbe(...asked)),
    }),
    ...(renewalInfo && {
      renewalInfo: (...asked: Parameters<typeof renewalInfo>) => concealing.around(() => renewalInfo(...asked)),
    }),
    ...(revoke && { revoke: (...asked: Parameters<typeof revoke>) => concealing.around(() => revoke(...asked)) }),
  };
}

/** The same for one who asks a server by other means than a Backend. */
export class Concealment {
  readonly #message: string;
  readonly #deps: Deps;
  #logged: { readonly message: string; readonly atMs: number } | undefined;

  constructor(server: string, kind: string, deps: Deps) {
    this.#message = `the server at ${hostOf(server)} can't be used as ${kind}: it can't be reached, is not trusted, or does not answer as one; the controller's log says why`;
    this.#deps = deps;
  }

  async around<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw error instanceof CertwheelError && error.unproven ? this.#concealed(error) : error;
    }
  }

  #concealed(error: CertwheelError): CertwheelError {
    const { name, clock, log } = this.#deps;
    const now = clock.monotonicMs();
    const { message, code } = error;
    if (this.#logged?.message !== message || now - this.#logged.atMs >= LOG_AGAIN_MS) {
      this.#logged = { message, atMs: now };
      log.warn("the server of an authority can't be used", { authority: name, code, error: message });
    }
    // The cause stays behind too; the kind of error decides what happens next, so it remains.
    const Kind = error instanceof RetryableError ? RetryableError : AuthorityError;
    return new Kind('AuthorityUnreachable', this.#message);
  }
}

/** With its port, also where that is the usual one. */
function hostOf(server: string): string {
  if (!URL.canParse(server)) return 'the address in server';
  const { hostname, port } = new URL(server);
  return `${hostname}:${port === '' ? 443 : port}`;
}
