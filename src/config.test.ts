import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXPORTING_PREFIXES } from './certificate/decision/exported-keys.ts';
import { type Config, helpText, parseCommandLine } from './config.ts';
import { StartError } from './start-error.ts';

function configOf(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, isTerminal = false): Config {
  const command = parseCommandLine(args, env, isTerminal);
  if ('print' in command) throw new Error(`prints ${command.print}`);
  return command.config;
}

test('nothing said is every default', () => {
  assert.equal(configOf(), {
    kubeconfig: undefined,
    namespaces: undefined,
    controllerNamespace: 'certwheel-system',
    clusterAuthorities: true,
    authorities: undefined,
    metricsAddress: { host: undefined, port: 8080 },
    metricsTls: undefined,
    metricsAuthentication: false,
    healthAddress: { host: undefined, port: 8081 },
    leaderElect: false,
    leaderElectNamespace: 'certwheel-system',
    shards: 0,
    workers: 16,
    routineEvents: false,
    trustPropagationMs: 120_000,
    trustTargets: [],
    kubeletSyncMs: 120_000,
    loopbackAuthorities: false,
    authorityNetworks: undefined,
    deniedTemplatePrefixes: EXPORTING_PREFIXES,
    certificateSeries: 20_000,
    approvals: false,
    requestStamps: false,
    namespaceShareMiB: 32,
    namespaceAuthorities: 50,
    probes: false,
    probeAddresses: ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
    tenantProbeAddresses: [],
    loopbackProbes: false,
    hsm: { addon: undefined, library: undefined, pinFolder: undefined, tenantTokens: [], mostProcesses: 8 },
    auditLog: undefined,
    logLevel: 'info',
    logFormat: 'json',
  });
});

test('every option can be a flag, with a blank or an equals sign', () => {
  const pairs = {
    kubeconfig: '/k',
    namespaces: 'a,b',
    'controller-namespace': 'sys',
    'metrics-bind-address': '127.0.0.1:1',
    'metrics-tls-cert-file': '/tls.crt',
    'metrics-tls-key-file': '/tls.key',
    'metrics-authentication': 'true',
    'health-probe-bind-address': '[::1]:2',
    'leader-elect': 'true',
    shards: '0',
    'leader-elect-namespace': 'lease',
    'cluster-authorities': 'true',
    authorities: 'selfManaged,vault',
    workers: '3',
    'routine-events': 'true',
    'trust-propagation': '90s',
    'authority-networks': '10.0.0.0/8,fd00::/8',
    'denied-template-prefixes': 'example.com/,copy',
    'trust-targets': 'configMaps,secrets',
    'kubelet-sync': '30s',
    approvals: 'true',
    'request-stamps': 'true',
    'namespace-share-mib': '32',
    'namespace-authorities': '7',
    'certificate-series': '500',
    probes: 'true',
    'probe-addresses': '10.1.0.0/16',
    'tenant-probe-addresses': '10.2.0.0/16',
    'pkcs11-module': '/usr/lib/hsm.so',
    'pkcs11-tenant-tokens': 'shop/shop%20ca,*/all',
    'pkcs11-pin-folder': '/pins',
    'pkcs11-processes': '3',
    'pkcs11-addon': '/app/pkcs11js',
    'audit-log': '/audit/audit.log',
    'log-level': 'debug',
    'log-format': 'text',
  };
  const expected: Config = {
    kubeconfig: '/k',
    namespaces: ['a', 'b'],
    controllerNamespace: 'sys',
    clusterAuthorities: true,
    authorities: ['selfManaged', 'vault'],
    metricsAddress: { host: '127.0.0.1', port: 1 },
    metricsTls: { certFile: '/tls.crt', keyFile: '/tls.key' },
    metricsAuthentication: true,
    healthAddress: { host: '::1', port: 2 },
    leaderElect: true,
    leaderElectNamespace: 'lease',
    shards: 0,
    workers: 3,
    routineEvents: true,
    trustPropagationMs: 90_000,
    trustTargets: ['configMaps', 'secrets'],
    kubeletSyncMs: 30_000,
    loopbackAuthorities: false,
    authorityNetworks: ['10.0.0.0/8', 'fd00::/8'],
    deniedTemplatePrefixes: ['example.com/', 'copy'],
    approvals: true,
    requestStamps: true,
    namespaceShareMiB: 32,
    namespaceAuthorities: 7,
    certificateSeries: 500,
    probes: true,
    probeAddresses: ['10.1.0.0/16'],
    tenantProbeAddresses: ['10.2.0.0/16'],
    loopbackProbes: false,
    hsm: {
      addon: '/app/pkcs11js',
      library: '/usr/lib/hsm.so',
      pinFolder: '/pins',
      tenantTokens: [
        { namespace: 'shop', token: 'shop ca' },
        { namespace: '*', token: 'all' },
      ],
      mostProcesses: 3,
    },
    auditLog: '/audit/audit.log',
    logLevel: 'debug',
    logFormat: 'text',
  };
  assert.equal(configOf(Object.entries(pairs).map(([flag, value]) => `--${flag}=${value}`)), expected);
  const blanks = Object.entries(pairs).flatMap(([flag, value]) =>
    value === 'true' ? [`--${flag}`] : [`--${flag}`, value],
  );
  assert.equal(configOf(blanks), expected);
  const env = Object.entries(pairs).map(([flag, value]) => [
    `CERTWHEEL_${flag.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  assert.equal(configOf([], Object.fromEntries(env)), expected);
});

test('a flag wins over the environment, and the environment over the default', () => {
  const env = { CERTWHEEL_WORKERS: '5', CERTWHEEL_LEADER_ELECT: 'true', CERTWHEEL_LOG_LEVEL: 'debug' };
  const config = configOf(['--workers', '7', '--leader-elect=false'], env);
  assert.equal([config.workers, config.leaderElect, config.logLevel], [7, false, 'debug']);
});

test('a kind of authority that there is not is refused', () => {
  assert.throws(() => configOf(['--authorities=Vault']), /--authorities Vault is not one of .*selfManaged.*vault/);
  assert.is(configOf(['--authorities=']).authorities, undefined);
});

test('cluster authorities are always served with all namespaces, and on demand with some', () => {
  const served = (...args: string[]) => configOf(args).clusterAuthorities;
  assert.equal([served(), served('--cluster-authorities=false')], [true, true]);
  assert.equal([served('--namespaces=a'), served('--namespaces=a', '--cluster-authorities')], [false, true]);
});

test('the last of two equal flags wins', () => {
  assert.is(configOf(['--workers', '7', '--workers=8']).workers, 8);
});

test('on a terminal the log is text, unless it is said otherwise', () => {
  assert.is(configOf([], {}, true).logFormat, 'text');
  assert.is(configOf(['--log-format=json'], {}, true).logFormat, 'json');
});

test('the Lease is in the namespace of the controller', () => {
  assert.is(configOf(['--controller-namespace=sys']).leaderElectNamespace, 'sys');
});

test('without a number there are 64 shards', () => {
  assert.is(configOf(['--shards']).shards, 64);
  assert.is(configOf(['--shards', '--log-level=debug']).shards, 64);
  assert.is(configOf(['--shards', '32']).shards, 32);
  assert.is(configOf(['--shards=3']).shards, 3);
  assert.throws(() => configOf(['--shards=257']), /--shards 257 is no number from 0 to 256/);
});

test('one replica acts, or all of them do', () => {
  assert.throws(() => configOf(['--shards=64', '--leader-elect']), /--leader-elect and --shards exclude each other/);
  assert.is(configOf(['--shards=0', '--leader-elect']).leaderElect, true);
});

test('namespaces are read without blanks and repetitions', () => {
  assert.equal(configOf(['--namespaces', ' a, b ,,a']).namespaces, ['a', 'b']);
  assert.is(configOf(['--namespaces', ' , ']).namespaces, undefined);
});

test('no prefix is denied where the list is empty', () => {
  assert.equal(configOf(['--denied-template-prefixes=']).deniedTemplatePrefixes, []);
});

test('the prefixes that are known can have others beside them', () => {
  const { deniedTemplatePrefixes } = configOf(['--denied-template-prefixes=known, example.com/']);
  assert.equal(deniedTemplatePrefixes, [...EXPORTING_PREFIXES, 'example.com/']);
});

test('help and version are printed, even where the rest is wrong', () => {
  assert.equal(parseCommandLine(['--help'], {}, false), { print: 'help' });
  assert.equal(parseCommandLine(['--version', '--workers=x'], { CERTWHEEL_NONSENSE: '1' }, false), {
    print: 'version',
  });
});

const BAD: Record<string, [args: string[], env?: NodeJS.ProcessEnv]> = {
  'an unknown flag': [['--wrokers=3']],
  'an unknown flag with a dot': [['--log.level=3']],
  'a positional argument': [['start']],
  'a positional argument with a dot': [['./config.yaml']],
  'a flag without its value': [['--kubeconfig']],
  'a flag that takes the next flag for its value': [['--kubeconfig', '--workers']],
  'workers that are no number': [['--workers=many']],
  'no workers': [['--workers=0']],
  'half a worker': [['--workers=1.5']],
  'too many workers': [['--workers=1001']],
  'an empty number of workers': [['--workers=']],
  'a duration in days': [['--trust-propagation=1d']],
  'a duration without a unit': [['--trust-propagation=30']],
  'a level that nobody knows': [['--log-level=loud']],
  'a format that nobody knows': [['--log-format=xml']],
  'a switch that is neither on nor off': [['--leader-elect=yes']],
  'an empty namespace of the controller': [['--controller-namespace=']],
  'a namespace of the controller that is no name': [['--controller-namespace=Not/A/Name']],
  'a namespace that is no name': [['--namespaces=a,B_']],
  'a namespace of the Lease that is no name': [['--leader-elect-namespace=a b']],
  'an address in place of a network': [['--authority-networks=10.0.0.1']],
  'a network with bits behind its prefix': [['--authority-networks=10.1.2.3/8']],
  'a network with too long a prefix': [['--authority-networks=10.0.0.0/33']],
  'an IPv4 network in the form of an IPv6 one': [['--authority-networks=::ffff:10.0.0.0/104']],
  'a name in place of a network': [['--authority-networks=ca.example.com']],
  'a prefix that no key can begin with': [['--denied-template-prefixes=exa mple/']],
  'a bad value in the environment': [[], { CERTWHEEL_WORKERS: 'x' }],
  'a switch in the environment that is neither on nor off': [[], { CERTWHEEL_ROUTINE_EVENTS: '1' }],
  'a misspelt variable': [[], { CERTWHEEL_LOGLEVEL: 'debug' }],
};

for (const [sentence, [args, env = {}]] of Object.entries(BAD)) {
  test(`${sentence} is named in one line`, () => {
    try {
      configOf(args, env);
    } catch (error) {
      assert.instance(error, StartError);
      const { message } = error as Error;
      assert.ok(message.length > 10 && message.length < 200 && !message.includes('\n'), message);
      const word = (args[0] ?? Object.keys(env)[0] ?? '').replace(/^CERTWHEEL_/, '').split('=')[0] ?? '';
      const names = message.toLowerCase().replaceAll('-', '_').includes(word.toLowerCase().replaceAll('-', '_'));
      assert.ok(names, `${message} does not name ${word}`);
      return;
    }
    assert.unreachable('it was taken');
  });
}

test('the variables that Kubernetes makes of a Service called certwheel are none of ours', () => {
  const links = {
    CERTWHEEL_SERVICE_HOST: '10.0.0.1',
    CERTWHEEL_SERVICE_PORT: '8080',
    CERTWHEEL_SERVICE_PORT_METRICS: '8080',
    CERTWHEEL_PORT: 'tcp://10.0.0.1:8080',
    CERTWHEEL_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    CERTWHEEL_PORT_8080_TCP_ADDR: '10.0.0.1',
    CERTWHEEL_PORT_8080_TCP_PORT: '8080',
    CERTWHEEL_PORT_8080_TCP_PROTO: 'tcp',
    CERTWHEEL_METRICS_SERVICE_HOST: '10.0.0.2',
    CERTWHEEL_METRICS_PORT_8080_TCP_ADDR: '10.0.0.2',
  };
  assert.equal(configOf([], links), configOf());
});

test('variables of others are none of our business', () => {
  assert.equal(configOf([], { PATH: '/bin', KUBECONFIG: '/k', certwheel_workers: '3' }), configOf());
});

test('the help names every flag, and no line is too long for a terminal', () => {
  const help = helpText();
  for (const flag of ['kubeconfig', 'workers', 'leader-elect', 'log-format', 'version', 'help'])
    assert.ok(help.includes(`--${flag}`), flag);
  for (const line of help.split('\n')) assert.ok(line.length <= 140, line);
});

test.run();
