import type { Dice } from '../random-pki/dice.ts';

/** The usages that a ClientCertificate can have. */
const USAGES = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'client auth',
  'server auth',
  'email protection',
];

const SCHEMES = ['SPIFFE', 'Spiffe', 'spiffes', 'https', 'urn'];
const HOSTS = [
  'Example.com',
  'EXAMPLE',
  'ex%61mple.com',
  '[2001:db8::7]',
  '127.0.0.1',
  '_',
  '-a',
  'a..b',
  'a~b',
  'a!b',
  '',
];
const SEGMENTS = [
  '.',
  '..',
  '...',
  '.a',
  'a.',
  '',
  '%2e',
  '%2E%2e',
  '%2F',
  '%61',
  '%zz',
  '~',
  'a+b',
  'a:b',
  'a@b',
  'a;b',
  "a'b",
];
const ENDS = ['?', '?a=b', '#', '#a', '?#', '/', '//', '/.', '/..', '%00', ' '];

/** A SPIFFE ID, in which about every second part is not as SPIFFE has it. */
export function hostileUri(dice: Dice): string {
  const odd = (share = 0.12) => dice.chance(share);
  const scheme = odd() ? dice.pick(SCHEMES) : 'spiffe';
  const slashes = odd(0.06) ? dice.pick(['', '/', '///']) : '//';
  const user = odd(0.06) ? dice.pick(['me@', '@', 'me:secret@', '%40@']) : '';
  const port = odd(0.06) ? dice.pick([':', ':0', ':443', ':99999', ':a']) : '';
  const host = odd()
    ? dice.pick(HOSTS)
    : word(dice, 'abcz09.-_', odd(0.03) ? dice.pick([255, 256]) : 1 + dice.below(12));
  const segments = Array.from({ length: dice.below(5) }, () =>
    odd() ? dice.pick(SEGMENTS) : word(dice, 'abcXYZ019.-_', 1 + dice.below(8)).replace(/^\.+$/, 'a'),
  );
  const path = segments.map((each) => `/${each}`).join('');
  const end = odd() ? dice.pick(ENDS) : '';
  const uri = `${scheme}:${slashes}${user}${host}${port}${path}${end}`;
  // The limit is 2048 bytes.
  return odd(0.04) ? uri.padEnd(dice.pick([2_047, 2_048, 2_049, 4_096]), path === '' ? '/a' : 'a') : uri;
}

/** Usually one; sometimes with others, or twice. */
export function hostileUris(dice: Dice): string[] {
  const first = hostileUri(dice);
  if (dice.chance(0.85)) return [first];
  const others = [hostileUri(dice), 'https://example.com/', first];
  return dice.chance(0.5) ? [first, dice.pick(others)] : [dice.pick(others), first];
}

export function randomUsages(dice: Dice): string[] {
  if (dice.chance(0.7)) return ['digital signature', 'client auth', 'server auth'];
  return USAGES.filter((usage) => usage === 'client auth' || dice.chance(0.5));
}

function word(dice: Dice, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[dice.below(alphabet.length)]).join('');
}
