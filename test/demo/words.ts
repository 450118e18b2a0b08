import type { Publication } from './story.ts';

/** How the demo says things, in the table, in lines and in the summary alike. */
export const INTRO = [
  'Watch Certwheel rotate three mTLS certificates that live for one minute each,',
  'while a server and two clients shake hands with them 20 times a second.',
];

export function short(serial: string): string {
  return serial.slice(0, 8);
}

export function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

export function count(number: number, noun?: string): string {
  const digits = number.toLocaleString('en-US');
  if (noun === undefined) return digits;
  return `${digits} ${noun}${number === 1 ? '' : 's'}`;
}

/** `1:07`, `1:02:03`. */
export function stopwatch(ms: number): string {
  const total = Math.floor(ms / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(total % 60)}`;
}

export function timeOfDay(moment: Date): string {
  return moment.toTimeString().slice(0, 8);
}

/** `15:41:36  client    rotated 4b4a37c5 -> 99aa00bb, new key, 31 s before expiry`. */
export function news({ name, at, serial, goodForMs, replaced }: Publication): string {
  const what =
    replaced === undefined
      ? `issued  ${short(serial)}, good for ${seconds(goodForMs)}`
      : `rotated ${short(replaced.serial)} -> ${short(serial)}, ${replaced.sameKey ? 'same' : 'new'} key, ` +
        `${seconds(replaced.wasGoodForMs)} before expiry`;
  return `${timeOfDay(at)}  ${name.padEnd(10)}${what}`;
}

/** For a POSIX shell. */
export function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
