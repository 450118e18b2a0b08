import { DEFAULT_SHARDS, MOST_SHARDS } from './api/shard-names.ts';
import { AUDIT_OPTIONS, type AuditConfig, toAuditConfig } from './audit/flags.ts';
import { BACKENDS } from './backends/index.ts';
import { type Option, oneOf, readFlags, toBoolean, toCount, toList, toMs, toNamespace } from './flag-values.ts';
import { HSM_OPTIONS, type HsmConfig, toHsmConfig } from './hsm-flags.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './log.ts';
import { PROBE_OPTIONS, type ProbeConfig, toProbeConfig } from './probe-flags.ts';
import { SERVING_OPTIONS, type ServingConfig, toServingConfig } from './serving/flags.ts';
import { StartError } from './start-error.ts';
import { TENANT_OPTIONS, type TenantConfig, toTenantConfig } from './tenant-flags.ts';
import { TARGET_OPTIONS, type TargetConfig, toTargetConfig } from './trust-targets/flags.ts';

export interface Config extends ServingConfig, TenantConfig, TargetConfig, ProbeConfig, HsmConfig, AuditConfig {
  readonly kubeconfig: string | undefined;
  /** Undefined for all. */
  readonly namespaces: readonly string[] | undefined;
  readonly controllerNamespace: string;
  /** Whether ClusterCertificateAuthorities are served; always where all namespaces are. */
  readonly clusterAuthorities: boolean;
  /** The kinds of authority that are served; undefined for all. */
  readonly authorities: readonly string[] | undefined;
  readonly leaderElect: boolean;
  readonly leaderElectNamespace: string;
  /** How many ranges the replicas share out among them; 0 where they don't. */
  readonly shards: number;
  readonly workers: number;
  readonly routineEvents: boolean;
  readonly trustPropagationMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Each has a flag and an environment variable, such as `--log-level` and `CERTWHEEL_LOG_LEVEL`. The flag wins. */
const OPTIONS = [
  {
    flag: 'kubeconfig',
    value: 'FILE',
    standard: '',
    help: "kubeconfig to use; by default $KUBECONFIG, the Pod's service account, or ~/.kube/config",
  },
  {
    flag: 'namespaces',
    value: 'A,B',
    standard: '',
    help: 'serve only these namespaces, with Roles in each of them; all if empty',
  },
  {
    flag: 'controller-namespace',
    value: 'NAME',
    standard: 'certwheel-system',
    help: 'namespace of the Secrets of ClusterCertificateAuthorities',
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
    help: 'serve only these kinds of authority, such as selfManaged,vault; all if empty',
  },
  ...SERVING_OPTIONS,
  {
    flag: 'leader-elect',
    value: undefined,
    standard: 'false',
    help: 'elect one active replica; required with several replicas',
  },
  {
    flag: 'leader-elect-namespace',
    value: 'NAME',
    standard: '',
    help: 'namespace of the Leases; the controller namespace if empty',
  },
  {
    flag: 'shards',
    value: 'N',
    standard: '0',
    help: `replicas share the work in N ranges of namespaces, by Leases; ${DEFAULT_SHARDS} without a number, 0 is off`,
  },
  { flag: 'workers', value: 'N', standard: '16', help: 'certificates reconciled concurrently' },
  {
    flag: 'routine-events',
    value: undefined,
    standard: 'false',
    help: 'write an event for each first issue and routine renewal too',
  },
  {
    flag: 'trust-propagation',
    value: 'DURATION',
    standard: '2m',
    help: 'time for workloads to load a changed Secret; a CA rotation waits for it',
  },
  ...TARGET_OPTIONS,
  ...TENANT_OPTIONS,
  ...PROBE_OPTIONS,
  ...HSM_OPTIONS,
  ...AUDIT_OPTIONS,
  { flag: 'log-level', value: 'LEVEL', standard: 'info', help: `one of ${LOG_LEVELS.join(', ')}` },
  {
    flag: 'log-format',
    value: 'FORMAT',
    standard: '',
    help: `one of ${LOG_FORMATS.join(', ')}; by default text on a terminal, otherwise json`,
  },
] as const satisfies readonly Option[];

const AUTHORITY_TYPES = BACKENDS.map(({ type }) => type);

type Flag = (typeof OPTIONS)[number]['flag'];
type Values = Readonly<Record<Flag, string>>;

/** The result of the command line: a text to print, or a configuration. Throws StartError. */
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
    '  --help                                  print this help',
    '',
    'certwheel audit verify and certwheel audit who read the audit log: certwheel audit --help',
    'certwheel shard NAMESPACE prints the Lease that names its owner: certwheel shard --help',
    '',
    'Each flag has an environment variable: --log-level is CERTWHEEL_LOG_LEVEL.',
  ].join('\n');
}

function parseFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const switches = new Set<string>(OPTIONS.filter(({ value }) => value === undefined).map(({ flag }) => `--${flag}`));
  // Kubernetes programs take --leader-elect and --leader-elect=false alike, which parseArgs doesn't.
  const spelt = args.map((arg, index) => {
    const hasValue = args[index + 1]?.startsWith('-') === false;
    if (arg === '--shards' && !hasValue) return `${arg}=${DEFAULT_SHARDS}`;
    return switches.has(arg) ? `${arg}=true` : arg;
  });
  const options = {
    ...Object.fromEntries(OPTIONS.map(({ flag }) => [flag, { type: 'string' } as const])),
    help: { type: 'boolean' },
    version: { type: 'boolean' },
  } as const;
  return readFlags({ args: spelt, options, allowPositionals: false }, 'see --help').values;
}

function toConfig(values: Values, isTerminal: boolean): Config {
  const namespaces = toList(values.namespaces).map((name) => toNamespace('namespaces', name));
  const authorities = toList(values.authorities).map((type) => oneOf('authorities', type, AUTHORITY_TYPES));
  const controllerNamespace = toNamespace('controller-namespace', values['controller-namespace']);
  const leaderElectNamespace = values['leader-elect-namespace'] || controllerNamespace;
  return {
    kubeconfig: values.kubeconfig === '' ? undefined : values.kubeconfig,
    namespaces: namespaces.length === 0 ? undefined : [...new Set(namespaces)],
    controllerNamespace,
    clusterAuthorities: namespaces.length === 0 || toBoolean('cluster-authorities', values['cluster-authorities']),
    authorities: authorities.length === 0 ? undefined : authorities,
    ...toServingConfig(values),
    ...toReplicas(values),
    leaderElectNamespace: toNamespace('leader-elect-namespace', leaderElectNamespace),
    workers: toCount('workers', values.workers, 1, 1000),
    routineEvents: toBoolean('routine-events', values['routine-events']),
    ...toTargetConfig(values),
    ...toTenantConfig(values),
    ...toProbeConfig(values),
    ...toHsmConfig(values),
    ...toAuditConfig(values),
    trustPropagationMs: toMs('trust-propagation', values['trust-propagation']),
    logLevel: oneOf('log-level', values['log-level'], LOG_LEVELS),
    logFormat: oneOf(
      'log-format',
      values['log-format'] === '' ? (isTerminal ? 'text' : 'json') : values['log-format'],
      LOG_FORMATS,
    ),
  };
}

/** Either one replica acts, or all of them do. */
function toReplicas(values: Values): Pick<Config, 'leaderElect' | 'shards'> {
  const leaderElect = toBoolean('leader-elect', values['leader-elect']);
  const shards = toCount('shards', values.shards, 0, MOST_SHARDS);
  if (leaderElect && shards > 0)
    throw new StartError('--leader-elect and --shards exclude each other: one replica acts, or all share the work');
  return { leaderElect, shards };
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
