import { hash } from 'node:crypto';
import { withoutPrivateKeys } from '../log.ts';
import type { AuditEvent, AuditEventName } from './event.ts';

/** Where a line is in the log. */
export interface Place {
  /** Random, of one process: 16 hex digits. */
  readonly segment: string;
  /** From 0, which is the start of the segment. */
  readonly seq: number;
  /** Lower-case hex; see chained. */
  readonly hash: string;
}

/** What the first and the last line of a segment say. */
export interface SegmentEvent {
  readonly event: 'start' | 'stop';
  readonly version?: string;
  /** Bytes behind the last line break of the file: a line that a former process has begun and not ended. */
  readonly torn?: Torn | undefined;
}

export interface Torn {
  readonly bytes: number;
  readonly sha256: string;
}

interface Chaining {
  readonly time: Date;
  readonly segment: string;
  readonly seq: number;
  /** The hash of the line before; empty where none is known. */
  readonly prev: string;
  /** Lines that were lost before this one, since they could not be written for too long. */
  readonly lost?: number | undefined;
}

/** A hash in hex, at the end of a line. */
const END = /,"hash":"([0-9a-f]{64})"\}$/;

/**
 * One line without its line break, and its hash: SHA-256 over the UTF-8 bytes of the line without its member `hash`. So
 * the hash doesn't depend on how a program writes JSON, and sed and sha256sum can check it. The line is ASCII: no terminal
 * obeys it, and a line that is cut off is never cut within a character.
 */
export function chained(
  event: AuditEvent | SegmentEvent,
  { time, seq, segment, lost, prev }: Chaining,
): { readonly line: string; readonly hash: string } {
  const { event: name, ...facts } = event;
  const text = ascii(JSON.stringify({ time, seq, segment, event: name, ...facts, lost, prev }, clean));
  const digest = sha256(text);
  return { line: `${text.slice(0, -1)},"hash":"${digest}"}`, hash: digest };
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** No field should hold a key; a message of another server might. */
function clean(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return withoutPrivateKeys(value);
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}

/** A line of an audit log, as far as it can be read. */
export interface ReadLine extends Place {
  readonly time: string;
  readonly event: AuditEventName;
  readonly prev: string;
  readonly lost?: number;
  readonly torn?: Torn;
  /** Whether the hash is that of the line. */
  readonly isIntact: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Undefined for what is no line of an audit log. */
export function readLine(text: string): ReadLine | undefined {
  const stated = END.exec(text)?.[1];
  if (stated === undefined) return undefined;
  const fields = parsed(text);
  const { time, segment, seq, event, prev, lost, torn } = fields ?? {};
  if (fields === undefined || typeof segment !== 'string' || typeof prev !== 'string') return undefined;
  if (typeof time !== 'string' || typeof event !== 'string') return undefined;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  const isIntact = sha256(text.replace(END, '}')) === stated;
  return {
    ...{ time, segment, seq, prev, hash: stated, isIntact, fields },
    event: event as AuditEventName,
    ...(typeof lost === 'number' && { lost }),
    ...(isTorn(torn) && { torn }),
  };
}

/** Undefined where it isn't JSON, or isn't an object. */
function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isTorn(value: unknown): value is Torn {
  const { bytes, sha256: digest } = (value ?? {}) as Partial<Record<keyof Torn, unknown>>;
  return typeof bytes === 'number' && typeof digest === 'string';
}

export function sha256(data: string | Buffer): string {
  return hash('sha256', data, 'hex');
}
