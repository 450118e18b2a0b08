import { parseArgs } from 'node:util';
import { oneOf } from '../flag-values.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../log.ts';
import { type Address, toAddress } from '../serving/flags.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';

export interface ResponderConfig {
  readonly address: Address;
  /** The folder in which the ConfigMap is mounted. */
  readonly accounts: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Throws StartError. */
export function parseResponderFlags(args: readonly string[]): ResponderConfig {
  const values = flagsIn(args);
  return {
    address: toAddress('bind-address', values['bind-address']),
    accounts: values.accounts,
    logLevel: oneOf('log-level', values['log-level'], LOG_LEVELS),
    logFormat: oneOf('log-format', values['log-format'], LOG_FORMATS),
  };
}

function flagsIn(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'bind-address': { type: 'string', default: ':8089' },
        accounts: { type: 'string', default: '/etc/certwheel/acme-accounts' },
        'log-level': { type: 'string', default: 'info' },
        'log-format': { type: 'string', default: 'json' },
      },
    }).values;
  } catch (error) {
    throw new StartError(messageOf(error));
  }
}
