import { oneOf, readFlags, toNamespace } from '../flag-values.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import { type Address, toAddress } from '../serving/flags.ts';

export interface ResponderConfig {
  readonly address: Address;
  /** The namespace of the controller, where the CRLs are. */
  readonly namespace: string;
  /** The folder in which the Secret with the keys for OCSP answers is mounted. */
  readonly keys: string;
  readonly kubeconfig: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

const OPTIONS = {
  'bind-address': { type: 'string', default: ':8090' },
  'controller-namespace': { type: 'string', default: 'certwheel-system' },
  keys: { type: 'string', default: '/etc/certwheel/responder-keys' },
  kubeconfig: { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
  'log-format': { type: 'string', default: 'json' },
} as const;

/** Throws StartError. */
export function parseResponderFlags(args: readonly string[]): ResponderConfig {
  const { values } = readFlags(
    { args: [...args], options: OPTIONS },
    `the flags are --${Object.keys(OPTIONS).join(', --')}`,
  );
  return {
    address: toAddress('bind-address', values['bind-address']),
    namespace: toNamespace('controller-namespace', values['controller-namespace']),
    keys: values.keys,
    kubeconfig: values.kubeconfig,
    logLevel: oneOf('log-level', values['log-level'], LOG_LEVELS),
    logFormat: oneOf('log-format', values['log-format'], LOG_FORMATS),
  };
}
