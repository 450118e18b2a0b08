import { type Option, toBoolean, toCount } from '../flag-values.ts';
import { StartError } from '../start-error.ts';
import type { TlsFiles } from './tls.ts';

/** The addresses of the servers, and their settings. */
export interface ServingConfig {
  readonly metricsAddress: Address;
  /** Undefined for plain HTTP. */
  readonly metricsTls: TlsFiles | undefined;
  /** Whether scrapes require a token with the right to get /metrics. */
  readonly metricsAuthentication: boolean;
  /** Maximum number of certificates with series of their own. */
  readonly certificateSeries: number;
  readonly healthAddress: Address;
}

export interface Address {
  /** Undefined for every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

export const SERVING_OPTIONS = [
  {
    flag: 'metrics-bind-address',
    value: '[HOST]:PORT',
    standard: ':8080',
    help: 'address of /metrics; 0 turns it off',
  },
  {
    flag: 'metrics-tls-cert-file',
    value: 'FILE',
    standard: '',
    help: 'serve metrics over TLS with this certificate (PEM); reloaded after a change',
  },
  { flag: 'metrics-tls-key-file', value: 'FILE', standard: '', help: 'its private key (PEM)' },
  {
    flag: 'metrics-authentication',
    value: undefined,
    standard: 'false',
    help: 'serve metrics only to tokens with the right to get the URL /metrics',
  },
  {
    flag: 'certificate-series',
    value: 'N',
    standard: '20000',
    help: 'maximum number of certificates with metrics of their own; above it, metrics show sums',
  },
  {
    flag: 'health-probe-bind-address',
    value: '[HOST]:PORT',
    standard: ':8081',
    help: 'address of /healthz and /readyz; 0 turns it off',
  },
] as const satisfies readonly Option[];

/** Throws StartError. */
export function toServingConfig(
  values: Readonly<Record<(typeof SERVING_OPTIONS)[number]['flag'], string>>,
): ServingConfig {
  return {
    metricsAddress: toAddress('metrics-bind-address', values['metrics-bind-address']),
    metricsTls: toTlsFiles(values['metrics-tls-cert-file'], values['metrics-tls-key-file']),
    metricsAuthentication: toBoolean('metrics-authentication', values['metrics-authentication']),
    certificateSeries: toCount('certificate-series', values['certificate-series'], 0, 1_000_000),
    healthAddress: toAddress('health-probe-bind-address', values['health-probe-bind-address']),
  };
}

function toTlsFiles(certFile: string, keyFile: string): TlsFiles | undefined {
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '')
    throw new StartError('--metrics-tls-cert-file and --metrics-tls-key-file go together; give both or neither');
  return { certFile, keyFile };
}

/** `:8080`, `127.0.0.1:8080`, `[::1]:8080`; port 0 stands for any free one. */
export function toAddress(flag: string, text: string): Address {
  if (text === '0') return { host: undefined, port: -1 };
  const [, host = '', port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new StartError(`--${flag} ${text} is no address; give [host]:port, such as :8080`);
  return { host: host === '' ? undefined : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
