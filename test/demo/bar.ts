import { type Look, paint } from './paint.ts';

export interface BarValues {
  /** How much of the life is left, from 0 to 1. */
  readonly part: number;
  /** How much of it is still left when the renewal is due: what is kept in reserve should that fail. */
  readonly reserve: number;
  readonly width: number;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Drains down to the reserve, and is full again: that is a rotation. */
export function bar({ part, reserve, width }: BarValues, look: Look): string {
  if (width < 4) return ' '.repeat(Math.max(0, width));
  const steps = look.unicode ? 8 : 1;
  const filled = Math.round(clamp(part) * width * steps) / steps;
  const full = Math.floor(filled);
  const kept = Math.min(full, Math.round(clamp(reserve) * width));
  if (!look.unicode) return `${'-'.repeat(kept)}${'='.repeat(full - kept)}`.padEnd(width, '.');
  const edge = EIGHTHS[(filled - full) * 8] ?? '';
  const rest = ' '.repeat(width - full - edge.length);
  return paint(look, 'yellow', '▒'.repeat(kept)) + paint(look, 'green', '█'.repeat(full - kept) + edge) + rest;
}

export function legend(look: Look): string {
  const [until, reserve] = look.unicode ? ['█', '▒'] : ['=', '-'];
  const text = `  ${until} until the renewal, ${reserve} in reserve, should a renewal have to be tried again`;
  return paint(look, 'dim', text.slice(0, look.columns - 1));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
