import { brokenLine, escapedBreaks, joinedBlocks, noBegin, noBreak, noEnd, otherEnd } from './block-findings.ts';
import { type Finding, Refusal, type Want } from './error.ts';

/** A PEM block of a text that may hold anything else around it; not decoded yet. */
export interface TextBlock {
  /** From 1, in the order of the text. */
  readonly number: number;
  /** At most 64 printable ASCII characters. */
  readonly label: string;
  /** All between the line of BEGIN and that of END. */
  readonly body: string;
}

export const BEGIN = '-----BEGIN ';
const END = '-----END ';
const BOM = '\u00ef\u00bb\u00bf';
const BEGIN_LINE = /-----BEGIN ([!-,./0-~](?:[!-,./0-~ ]{0,62}[!-,./0-~])?)-----/y;
const END_LINE = /-----END ([!-,./0-~](?:[!-,./0-~ ]{0,62}[!-,./0-~])?)-----/y;
const REST_OF_LINE = /[ \t\v\f]*(?:[\r\n]|$)/y;
const ESCAPED_BREAK = /\\+[nr]/y;
/** A line that is meant to begin or end a block and has too few dashes. */
const BROKEN_LINE =
  /^[ \t]*-*(?:BEGIN|END) [A-Z0-9 ]{0,60}(?:CERTIFICATE|KEY|PARAMETERS|REQUEST|CRL|PKCS7)[ \t]*-*[ \t]*$/m;

/** As people comment out a certificate: OpenSSL and Go begin no block there. A file in one long line is none. */
const COMMENT_LINE = /^[ \t]*#[^\r\n]{0,200}$/gm;

/** More than a mebibyte of certificates holds. */
const MOST_BLOCKS = 5_000;
const TOO_MANY: Finding = {
  flaw: 'TooLarge',
  what: `too much: more than ${MOST_BLOCKS} PEM blocks`,
  remedy: 'leave in it what belongs to the CA alone',
};

/**
 * The blocks of a text in Latin-1; what stands outside of them is skipped (RFC 7468 section 2). Throws a Refusal where
 * a block has no clear begin or end. Linear: each search starts where the one before ended.
 */
export function scanBlocks(given: string, want: Want): TextBlock[] {
  const text = given.replace(COMMENT_LINE, '');
  const blocks: TextBlock[] = [];
  let at = 0;
  for (let begin = text.indexOf(BEGIN); begin >= 0; begin = text.indexOf(BEGIN, at)) {
    const number = blocks.length + 1;
    if (number > MOST_BLOCKS) throw new Refusal(TOO_MANY);
    refuseBrokenLines(text.slice(at, begin), number, want);
    const label = matchAt(BEGIN_LINE, text, begin)?.[1];
    if (label === undefined) throw new Refusal(brokenLine(want), number);
    const bodyStart = lineAfter(text, at, begin, BEGIN_LINE.lastIndex, number, want);
    const end = text.indexOf(END, bodyStart);
    const next = text.indexOf(BEGIN, bodyStart);
    if (end < 0 || (next >= 0 && next < end)) throw new Refusal(noEnd(label), number);
    const endLabel = matchAt(END_LINE, text, end)?.[1];
    if (endLabel === undefined) throw new Refusal(brokenLine(want), number);
    at = lineAfter(text, bodyStart, end, END_LINE.lastIndex, number, want);
    if (endLabel !== label) throw new Refusal(otherEnd(label, endLabel, want), number);
    blocks.push({ number, label, body: text.slice(bodyStart, end) });
  }
  refuseBrokenLines(text.slice(at), blocks.length + 1, want);
  return blocks;
}

/** Where the line ends that holds nothing but the marker from `start` to `end`. */
function lineAfter(text: string, from: number, start: number, end: number, number: number, want: Want): number {
  if (matchAt(ESCAPED_BREAK, text, end)) throw new Refusal(escapedBreaks(want), number);
  if (!beginsItsLine(text, from, start) || !matchAt(REST_OF_LINE, text, end)) {
    throw new Refusal(text[start - 1] === '-' || text[end] === '-' ? joined(text, end, want) : noBreak(want), number);
  }
  return REST_OF_LINE.lastIndex;
}

function joined(text: string, end: number, want: Want): Finding {
  return text.startsWith(BEGIN, end) ? joinedBlocks(want) : brokenLine(want);
}

function beginsItsLine(text: string, from: number, start: number): boolean {
  let at = start;
  if (at - BOM.length >= from && text.startsWith(BOM, at - BOM.length)) at -= BOM.length;
  while (at > from && isBlank(text.charCodeAt(at - 1))) at -= 1;
  const before = text[at - 1];
  return at === from || before === '\n' || before === '\r';
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0b || code === 0x0c;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function refuseBrokenLines(gap: string, number: number, want: Want): void {
  if (gap.includes(END) && !BROKEN_LINE.test(gap.slice(0, gap.indexOf(END)))) throw new Refusal(noBegin(), number);
  if (BROKEN_LINE.test(gap)) throw new Refusal(brokenLine(want), number);
}
