import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matching, read } from './place.ts';

// What a page quotes of a message must be a part of a message: a person searches the page for what a condition says.

/** The first columns of the tables whose head is one of these. */
const HEADS = new Set(['message', 'reason and message']);
const SOURCES = matching('src/**/*.ts')
  .filter((path) => !path.endsWith('.test.ts'))
  .map((path) => read(path).replaceAll("\\'", "'"));
/** Words of the other side: what it answers, and numbers and states that take the place of a value. */
const FOREIGN = [/\b[A-Z][A-Z_]{4,}\b/g, /\b\d+(?: of \d+)?\b/g, /\(invalid\)/g, /, `[a-z]+`/g];
/** What another server says alone. */
const OF_OTHERS = new Set([
  'rejectedIdentifier', // RFC 8555
  'the ACME account is deactivated',
  'ThrottlingException', // AWS
  'has no Certificate Authority that is enabled', // Google
  'is less than the authorized minimum', // step-ca
  'is more than the authorized maximum',
  'the login at auth/approle was answered 403: permission denied', // Vault
  'RequestDenied: … not allowed by this role',
  'BADKEY',
  'BADSIG',
  'BADTIME',
  'REFUSED',
  'NOTAUTH',
  'NOTIMP',
]);

/** The quotations in the first cells of such tables. */
function quotationsIn(page: string): readonly string[] {
  const found: string[] = [];
  let isTold = false;
  for (const line of read(page).split('\n')) {
    const [, first = ''] = line.split(/(?<!\\)\|/);
    if (!line.startsWith('|')) isTold = false;
    else if (HEADS.has(first.trim())) isTold = true;
    else if (isTold) found.push(...[...first.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  }
  return found;
}

/** The parts of a quotation that Certwheel writes itself. */
function partsOf(quotation: string): readonly string[] {
  const own = FOREIGN.reduce((text, pattern) => text.replaceAll(pattern, '…'), quotation);
  return own
    .replace(/^[A-Z][A-Za-z]+: /, '')
    .split('…')
    .map((part) => part.trim())
    .filter((part) => /[a-z]{2}/i.test(part));
}

/** In how many pieces the text is found in the sources: two, where one ends with a value that the other begins with. */
function piecesOf(text: string): number {
  const words = text.split(' ');
  let pieces = 0;
  for (let from = 0; from < words.length; pieces++) {
    let to = words.length;
    while (to > from && !isWritten(words.slice(from, to).join(' '))) to--;
    if (to === from) return Number.POSITIVE_INFINITY;
    from = to;
  }
  return pieces;
}

function isWritten(text: string): boolean {
  return SOURCES.some((source) => source.includes(text));
}

for (const page of [...matching('docs/authorities/*.md'), 'docs/guides/acme-challenges.md']) {
  const quotations = quotationsIn(page).filter((each) => !OF_OTHERS.has(each));
  if (quotations.length === 0) continue;
  test(`${page} quotes messages as they are`, () => {
    const strays = quotations.filter((each) => !partsOf(each).every((part) => piecesOf(part) <= 2));
    assert.equal(strays, []);
  });
}

test.run();
