import winston from 'winston';
import { portableJson } from './json-text.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** Four levels, a short message, facts as fields. Never pass an object from the API: it may hold a key. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Writes to standard error, one line for each entry. `reach` is the least important level that is written. */
export function createLogger(reach: LogLevel, format: LogFormat): Logger {
  const sink = winston.createLogger({
    level: reach,
    format: winston.format.combine(
      winston.format.timestamp(),
      ...(format === 'json' ? [winston.format.json(), visible()] : [text]),
    ),
    transports: [new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
  const write = (level: LogLevel) => {
    // A level that isn't written costs winston 8 µs all the same.
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(reach)) return () => {};
    // Under a key of its own, since winston appends a field called "message" to the message.
    return (message: string, fields: LogFields = {}) =>
      void sink.log({ ...safe(fields), level, message: String(plain(message)) });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const RESERVED: readonly string[] = ['message', 'level', 'timestamp'];

/** Deeper than anything that belongs into a log; it ends circles too. */
const DEEPEST = 5;

/** A last line of defence: nothing that is passed here should hold a key. */
function safe(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [RESERVED.includes(key) ? 'detail' : key, plain(value)]),
  );
}

/** The text without PEM blocks of private keys. */
export function withoutPrivateKeys(text: string): string {
  return text.replace(PRIVATE_KEY, '[private key]');
}

/** What JSON can say of a value, without private keys, wherever in it they stand. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutPrivateKeys(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return plain(value.message, depth);
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (depth === DEEPEST) return '[...]';
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]));
}

/** Where winston keeps the line that it writes. */
const LINE = Symbol.for('message');

/** JSON leaves DEL, C1 controls and what turns a line round as they are, and terminals obey them. */
const visible = winston.format((entry) => {
  entry[LINE] = portableJson(String(entry[LINE]));
  return entry;
});

const text = winston.format.printf(({ timestamp, level, message, ...fields }) => {
  const facts = Object.entries(fields).filter(([, value]) => value !== undefined);
  const shown = facts.map(([key, value]) => `${bareOrQuoted(key)}=${bareOrQuoted(value)}`);
  return `${String(timestamp).slice(11, 19)} ${level.padEnd(5)} ${message}${shown.length > 0 ? `  ${shown.join(' ')}` : ''}`;
});

/** On one line, and without anything that a terminal would obey or that can't be seen. */
function bareOrQuoted(value: unknown): string {
  if (typeof value === 'string' && !/[\s"\p{Cc}\p{Cf}\p{Cs}\p{NChar}]/u.test(value)) return value;
  return portableJson(String(JSON.stringify(value)));
}
