import type { ParseArgsConfig } from 'node:util';
import { readFlags, toNamespace } from '../flag-values.ts';
import { StartError } from '../start-error.ts';
import { parseSerial } from './serial.ts';

export interface VerifyCommand {
  readonly do: 'verify';
  readonly files: readonly string[];
  readonly isPartial: boolean;
  readonly isMixed: boolean;
  /** The ConfigMap in a file, or in the cluster; undefined for neither. */
  readonly checkpoint:
    | { readonly file: string }
    | { readonly kubeconfig: string | undefined; readonly namespace: string }
    | undefined;
}

export interface WhoCommand {
  readonly do: 'who';
  readonly files: readonly string[];
  /** What the argument may mean; see parseSerial. */
  readonly serials: readonly string[];
  /** The pin of a public key, in place of a serial number; see publicKeyPin. */
  readonly keyPin: string | undefined;
  /** Prints the lines as they are. */
  readonly asJson: boolean;
}

export interface CompareCommand {
  readonly do: 'compare';
  readonly files: readonly string[];
  /** What the CA says that it issued; see parseListed. */
  readonly list: string;
  readonly authorities: ReadonlySet<string> | undefined;
  readonly endsAfter: Date | undefined;
}

export const AUDIT_HELP = `certwheel audit verify --log FILE... [flags]
  checks that no line of the audit log was changed, removed, added or moved
  --checkpoint FILE             the ConfigMap certwheel-audit as JSON, to see whether lines are missing at the end
  --checkpoint-from-cluster     read it from the cluster
  --kubeconfig FILE             kubeconfig to use for that
  --controller-namespace NAME   its namespace (certwheel-system)
  --partial                     older files are gone
  --mixed                       lines of other programs are among them

certwheel audit who SERIAL --log FILE...
  shows who has the certificate of that serial number: hex, with colons or without, or decimal as 0d1234; or
  that public key: the base64 of its SHA-256 (RFC 7469)
  --json                        print the lines of the log instead

certwheel audit compare --log FILE... --serials FILE [flags]
  compares the log with the serial numbers that the CA says it issued: one a line, hex or decimal as 0d1234, with the key
  pin of the certificate behind it where lost answers are to be matched; # begins a comment
  --authority KIND/NAMESPACE/NAME  only what this authority was asked for, such as CertificateAuthority/shop/ca; repeatable
  --ends-after TIME             certificates that end before may be deleted at the CA (RFC 3339)

--log takes several files: --log audit.log audit.log.1.gz`;

/** Undefined for the help. Throws StartError. */
export function parseAuditCommand(args: readonly string[]): VerifyCommand | WhoCommand | CompareCommand | undefined {
  const [command, ...rest] = args;
  if (command === undefined || command === '--help' || command === 'help' || rest.includes('--help')) return undefined;
  if (command === 'verify') return toVerify(rest);
  if (command === 'who') return toWho(rest);
  if (command === 'compare') return toCompare(rest);
  throw new StartError(`audit ${command} is unknown; it is verify, who or compare`);
}

function toVerify(args: readonly string[]): VerifyCommand {
  const { values, positionals } = parse(args, {
    log: { type: 'string', multiple: true },
    checkpoint: { type: 'string' },
    'checkpoint-from-cluster': { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    'controller-namespace': { type: 'string', default: 'certwheel-system' },
    partial: { type: 'boolean', default: false },
    mixed: { type: 'boolean', default: false },
  });
  const namespace = toNamespace('controller-namespace', values['controller-namespace']);
  if (values.checkpoint !== undefined && values['checkpoint-from-cluster'])
    throw new StartError('give --checkpoint or --checkpoint-from-cluster, not both');
  return {
    do: 'verify',
    files: filesOf(values.log, positionals),
    isPartial: values.partial,
    isMixed: values.mixed,
    checkpoint: values['checkpoint-from-cluster']
      ? { kubeconfig: values.kubeconfig, namespace }
      : values.checkpoint === undefined
        ? undefined
        : { file: values.checkpoint },
  };
}

/** Base64 of 32 bytes. */
const PIN = /^[A-Za-z0-9+/]{43}=$/;

function toWho(args: readonly string[]): WhoCommand {
  const { values, positionals } = parse(args, {
    log: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  });
  const [text, ...more] = positionals;
  if (text === undefined) throw new StartError('audit who needs a serial number; see certwheel audit --help');
  const keyPin = PIN.test(text) ? text : undefined;
  const serials = keyPin === undefined ? parseSerial(text) : [];
  if (serials.length === 0 && keyPin === undefined)
    throw new StartError(
      `${text} is no serial number; give hex such as 0a:1B:2c, or decimal such as 0d1234, or the base64 of the SHA-256 of a public key`,
    );
  return { do: 'who', serials, keyPin, files: filesOf(values.log, more), asJson: values.json };
}

function toCompare(args: readonly string[]): CompareCommand {
  const { values, positionals } = parse(args, {
    log: { type: 'string', multiple: true },
    serials: { type: 'string' },
    authority: { type: 'string', multiple: true },
    'ends-after': { type: 'string' },
  });
  if (values.serials === undefined)
    throw new StartError('give the serial numbers that the CA says it issued with --serials FILE');
  const endsAfter = values['ends-after'] === undefined ? undefined : new Date(values['ends-after']);
  if (Number.isNaN(endsAfter?.getTime()))
    throw new StartError(`--ends-after ${values['ends-after']} is no time; write it as 2026-11-30T00:00:00Z`);
  return {
    do: 'compare',
    files: filesOf(values.log, positionals),
    list: values.serials,
    authorities: values.authority && new Set(values.authority),
    endsAfter,
  };
}

function parse<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  return readFlags({ args: [...args], options, allowPositionals: true }, 'see certwheel audit --help');
}

/** A shell puts the files of a pattern behind the flag as arguments of their own. */
function filesOf(named: readonly string[] = [], more: readonly string[] = []): readonly string[] {
  if (named.length === 0) throw new StartError('give the files of the audit log with --log');
  return [...named, ...more];
}
