import { oneOf, readFlags } from '../flag-values.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import { type Address, toAddress } from '../serving/flags.ts';

export interface ResponderConfig {
  readonly address: Address;
  /** The folder in which the ConfigMap is mounted. */
  readonly accounts: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

const OPTIONS = {
  'bind-address': { type: 'string', default: ':8089' },
  accounts: { type: 'string', default: '/etc/certwheel/acme-accounts' },
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
    accounts: values.accounts,
    logLevel: oneOf('log-level', values['log-level'], LOG_LEVELS),
    logFormat: oneOf('log-format', values['log-format'], LOG_FORMATS),
  };
}
