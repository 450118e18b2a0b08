import { parseArgs } from 'node:util';
import { parseDuration } from './api/duration.ts';
import { isNetwork } from './authorities/http/networks.ts';
import { AUTHORITIES } from './authorities/index.ts';
import { EXPORTING_PREFIXES } from './certificate/exported-keys.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './log.ts';

export interface Config {
  readonly kubeconfig: string | undefined;
  /** Undefined for all. */
  readonly namespaces: readonly string[] | undefined;
  readonly controllerNamespace: string;
  /** Whether ClusterCertificateAuthorities are served; always where all namespaces are. */
  readonly clusterAuthorities: boolean;
  /** The kinds of authority that are served; undefined for all. */
  readonly authorities: readonly string[] | undefined;
  readonly metricsAddress: Address;
  readonly healthAddress: Address;
  readonly leaderElect: boolean;
  readonly leaderElectNamespace: string;
  readonly workers: number;
  readonly routineEvents: boolean;
  readonly trustPropagationMs: number;
  /** Whether authorities may be on this host. */
  readonly loopbackAuthorities: boolean;
  /** The networks that authorities which are servers must be in; undefined for any. */
  readonly authorityNetworks: readonly string[] | undefined;
  /** Beginnings of keys that no template of a Secret may name. */
  readonly deniedTemplatePrefixes: readonly string[];
  /** So much memory the objects of one namespace may take, of each kind. */
  readonly namespaceShareMiB: number;
  /** So many CertificateAuthorities of one namespace are served. */
  readonly namespaceAuthorities: number;
  /** Up to so many certificates, metrics have series for each. */
  readonly certificateSeries: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export interface Address {
  /** Undefined for every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** What was asked for can't be started; the message is one line that says what to do. */
export class StartError extends Error {}

interface Option {
  readonly flag: string;
  /** What stands behind the flag in the help; undefined for a switch. */
  readonly value: string | undefined;
  readonly standard: string;
  readonly help: string;
}

/** Each can be set by its flag or by an environment variable, `--log-level` by `CERTWHEEL_LOG_LEVEL`. The flag wins. */
const OPTIONS = [
  {
    flag: 'kubeconfig',
    value: 'FILE',
    standard: '',
    help: "kubeconfig to use; else $KUBECONFIG, the Pod's service account, or ~/.kube/config",
  },
  {
    flag: 'namespaces',
    value: 'A,B',
    standard: '',
    help: 'serve these namespaces only, with Roles in each of them; all if empty',
  },
  {
    flag: 'controller-namespace',
    value: 'NAME',
    standard: 'certwheel-system',
    help: 'where the Secrets of ClusterCertificateAuthorities are',
  },
  {
    flag: 'cluster-authorities',
    value: undefined,
    standard: 'false',
    help: 'with --namespaces, serve ClusterCertificateAuthorities that need no namespace labels',
  },
  {
    flag: 'authorities',
    value: 'A,B',
    standard: '',
    help: 'serve these kinds of authority only, such as selfManaged,vault; all if empty',
  },
  { flag: 'metrics-bind-address', value: '[HOST]:PORT', standard: ':8080', help: 'serves /metrics; 0 turns it off' },
  {
    flag: 'health-probe-bind-address',
    value: '[HOST]:PORT',
    standard: ':8081',
    help: 'serves /healthz and /readyz; 0 turns it off',
  },
  { flag: 'leader-elect', value: undefined, standard: 'false', help: 'run with several replicas, of which one acts' },
  {
    flag: 'leader-elect-namespace',
    value: 'NAME',
    standard: '',
    help: 'where the Lease is; the controller namespace if empty',
  },
  { flag: 'workers', value: 'N', standard: '16', help: 'certificates worked on at once' },
  { flag: 'routine-events', value: undefined, standard: 'false', help: 'write an event for each routine renewal too' },
  {
    flag: 'trust-propagation',
    value: 'DURATION',
    standard: '2m',
    help: 'how long workloads may take to load a changed Secret; a CA rotation waits for them',
  },
  {
    flag: 'allow-loopback-authorities',
    value: undefined,
    standard: 'false',
    help: 'let authorities be on this host (link-local addresses are always refused)',
  },
  {
    flag: 'authority-networks',
    value: 'CIDR,CIDR',
    standard: '',
    help: 'where authorities that are servers must be, such as 10.0.0.0/8,fd00::/8; anywhere if empty',
  },
  {
    flag: 'denied-template-prefixes',
    value: 'A,B',
    standard: 'known',
    help: 'keys of secretTemplate that begin so are refused; known: those of copiers of Secrets',
  },
  {
    flag: 'namespace-share-mib',
    value: 'N',
    standard: '32',
    help: 'memory for the ClientCertificates of one namespace, and for its Secrets; others are refused',
  },
  {
    flag: 'namespace-authorities',
    value: 'N',
    standard: '50',
    help: 'CertificateAuthorities of one namespace that are served; others are refused',
  },
  {
    flag: 'certificate-series',
    value: 'N',
    standard: '20000',
    help: 'up to so many certificates have metrics of their own; above, metrics show sums',
  },
  { flag: 'log-level', value: 'LEVEL', standard: 'info', help: `one of ${LOG_LEVELS.join(', ')}` },
  {
    flag: 'log-format',
    value: 'FORMAT',
    standard: '',
    help: `one of ${LOG_FORMATS.join(', ')}; text on a terminal, else json`,
  },
] as const satisfies readonly Option[];

const AUTHORITY_TYPES = AUTHORITIES.map(({ type }) => type);

type Flag = (typeof OPTIONS)[number]['flag'];
type Values = Readonly<Record<Flag, string>>;

/** What the command line asks for: a text to print, or a configuration. Throws StartError. */
export function parseCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  isTerminal: boolean,
): { readonly print: 'help' | 'version' } | { readonly config: Config } {
  const given = parseFlags(args);
  if (given.help === true) return { print: 'help' };
  if (given.version === true) return { print: 'version' };
  const values = Object.fromEntries(
    OPTIONS.map(({ flag, standard }) => [flag, String(given[flag] ?? env[variable(flag)] ?? standard)]),
  ) as Values;
  refuseUnknownVariables(env);
  return { config: toConfig(values, isTerminal) };
}

export function helpText(): string {
  const rows = OPTIONS.map(({ flag, value, standard, help }) => {
    const left = `  --${flag}${value === undefined ? '' : ` ${value}`}`;
    return `${left.padEnd(42)}${help}${standard === '' || standard === 'false' ? '' : ` (${standard})`}`;
  });
  return [
    'certwheel rotates mTLS client certificates in a Kubernetes cluster.',
    '',
    ...rows,
    '  --version                               print the version',
    '  --help                                  print this',
    '',
    'Each can be set in the environment too: --log-level as CERTWHEEL_LOG_LEVEL.',
  ].join('\n');
}

function parseFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const switches = new Set<string>(OPTIONS.filter(({ value }) => value === undefined).map(({ flag }) => `--${flag}`));
  // Kubernetes programs take --leader-elect and --leader-elect=false alike, which parseArgs doesn't.
  const spelt = args.map((arg) => (switches.has(arg) ? `${arg}=true` : arg));
  const options = {
    ...Object.fromEntries(OPTIONS.map(({ flag }) => [flag, { type: 'string' } as const])),
    help: { type: 'boolean' },
    version: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: spelt, options, allowPositionals: false }).values;
  } catch (error) {
    // The first sentence; the others are advice for programs that take positional arguments.
    throw new StartError(`${(error as Error).message.split(/\.\s|\n/)[0]}; see --help`);
  }
}

function toConfig(values: Values, isTerminal: boolean): Config {
  const namespaces = toList(values.namespaces).map((name) => toNamespace('namespaces', name));
  const authorities = toList(values.authorities).map((type) => oneOf('authorities', type, AUTHORITY_TYPES));
  const networks = toList(values['authority-networks']).map(toNetwork);
  const controllerNamespace = toNamespace('controller-namespace', values['controller-namespace']);
  const leaderElectNamespace = values['leader-elect-namespace'] || controllerNamespace;
  return {
    kubeconfig: values.kubeconfig === '' ? undefined : values.kubeconfig,
    namespaces: namespaces.length === 0 ? undefined : [...new Set(namespaces)],
    controllerNamespace,
    clusterAuthorities: namespaces.length === 0 || toBoolean('cluster-authorities', values['cluster-authorities']),
    authorities: authorities.length === 0 ? undefined : authorities,
    metricsAddress: toAddress('metrics-bind-address', values['metrics-bind-address']),
    healthAddress: toAddress('health-probe-bind-address', values['health-probe-bind-address']),
    leaderElect: toBoolean('leader-elect', values['leader-elect']),
    leaderElectNamespace: toNamespace('leader-elect-namespace', leaderElectNamespace),
    workers: toCount('workers', values.workers, 1, 1000),
    routineEvents: toBoolean('routine-events', values['routine-events']),
    namespaceShareMiB: toCount('namespace-share-mib', values['namespace-share-mib'], 1, 100_000),
    namespaceAuthorities: toCount('namespace-authorities', values['namespace-authorities'], 1, 100_000),
    certificateSeries: toCount('certificate-series', values['certificate-series'], 0, 1_000_000),
    loopbackAuthorities: toBoolean('allow-loopback-authorities', values['allow-loopback-authorities']),
    authorityNetworks: networks.length === 0 ? undefined : networks,
    deniedTemplatePrefixes: toList(values['denied-template-prefixes']).flatMap(toKeyPrefixes),
    trustPropagationMs: toMs('trust-propagation', values['trust-propagation']),
    logLevel: oneOf('log-level', values['log-level'], LOG_LEVELS),
    logFormat: oneOf(
      'log-format',
      values['log-format'] === '' ? (isTerminal ? 'text' : 'json') : values['log-format'],
      LOG_FORMATS,
    ),
  };
}

function toList(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function toNetwork(text: string): string {
  if (!isNetwork(text))
    throw new StartError(`--authority-networks ${text} is no network; give CIDRs such as 10.0.0.0/8 or fd00::/8`);
  return text;
}

function toKeyPrefixes(text: string): readonly string[] {
  if (text === 'known') return EXPORTING_PREFIXES;
  if (!/^[a-z0-9][-a-z0-9.]{0,252}(\/[-A-Za-z0-9_.]{0,63})?$/.test(text))
    throw new StartError(`--denied-template-prefixes ${text} begins no label key; give one such as example.com/`);
  return [text];
}

function toNamespace(flag: Flag, text: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) throw new StartError(`--${flag} ${text} is no namespace`);
  return text;
}

/** `:8080`, `127.0.0.1:8080`, `[::1]:8080`; port 0 stands for any free one. */
function toAddress(flag: Flag, text: string): Address {
  if (text === '0') return { host: undefined, port: -1 };
  const [, host = '', port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new StartError(`--${flag} ${text} is no address; give [host]:port, such as :8080`);
  return { host: host === '' ? undefined : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function toBoolean(flag: Flag, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new StartError(`--${flag} ${text} is neither true nor false`);
  return text === 'true';
}

function toCount(flag: Flag, text: string, least: number, most: number): number {
  const count = Number(text);
  if (text === '' || !Number.isInteger(count) || count < least || count > most)
    throw new StartError(`--${flag} ${text} is no number from ${least} to ${most}`);
  return count;
}

function toMs(flag: Flag, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new StartError(`--${flag} ${text} is no duration; give one such as 90s or 2m`);
  return ms;
}

function oneOf<T extends string>(flag: Flag, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw new StartError(`--${flag} ${text} is not one of ${allowed.join(', ')}`);
  return found;
}

function variable(flag: string): string {
  return `CERTWHEEL_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Kubernetes sets such variables for each Service of the namespace, and one may well be called certwheel. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?$/;

/** A misspelt variable would be ignored in silence. */
function refuseUnknownVariables(env: NodeJS.ProcessEnv): void {
  const known = new Set<string>(OPTIONS.map(({ flag }) => variable(flag)));
  const unknown = Object.keys(env).find(
    (name) =>
      name.startsWith('CERTWHEEL_') && name !== 'CERTWHEEL_CACHE' && !known.has(name) && !SERVICE_LINK.test(name),
  );
  if (unknown !== undefined) throw new StartError(`the environment variable ${unknown} is unknown; see --help`);
}
