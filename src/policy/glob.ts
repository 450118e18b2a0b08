/** What a pattern is filled in with. */
export interface Fill {
  readonly namespace: string;
  /** Of the ClientCertificate. */
  readonly name: string;
  /** Of the namespace. */
  readonly labels: ReadonlyMap<string, string>;
}

/** How the values of a kind are compared with a pattern. */
export interface Comparison {
  /** The characters that `*` stands for. */
  readonly wildcard: ReadonlySet<string>;
  /** Whether values are names of hosts: in lower case, and what is filled in is one label, as what `*` stands for is. */
  readonly isHost: boolean;
}

/** The side of a text. */
export type Side = 'begin' | 'end';

/** What a placeholder stands for; undefined or empty where it stands for nothing, and the pattern fits nothing. */
type Field = (fill: Fill) => string | undefined;
/** What stands between two wildcards: texts and placeholders. */
type Piece = readonly (string | Field)[];

// Marks inside a pattern that was read; all are in the private use area, which no pattern may hold.
const STAR = '\uE000';
const FILLED = /([\uE001-\uF8FF])/;
const FIRST_FILLED = 0xe001;
const MARKS = /[\uE000-\uF8FF]/;

const TOKEN = /\[\*\]|\*|\{namespace\}|\{name\}|\{namespace\.labels\['([^'{}]{1,317})'\]\}|[{}]/g;

/** The pattern as its author wrote it, filled in; for messages. */
export function shownPattern(text: string, fill: Fill): string {
  return text.replace(TOKEN, (token, label?: string) => {
    if (label !== undefined) return fill.labels.get(label) ?? token;
    return token === '[*]' ? '*' : token === '{namespace}' ? fill.namespace : token === '{name}' ? fill.name : token;
  });
}

/** A text with wildcards and placeholders, read once. A match makes no text, since a decision may ask thousands. */
export class Glob {
  /** The pattern, with one mark for each wildcard and placeholder. */
  readonly #shape: string;
  readonly #fields: readonly Field[];
  readonly #comparison: Comparison;
  readonly #pieces: readonly Piece[];
  readonly usesLabels: boolean;

  private constructor(shape: string, fields: readonly Field[], usesLabels: boolean, comparison: Comparison) {
    this.#shape = shape;
    this.#fields = fields;
    this.#comparison = comparison;
    this.#pieces = shape.split(STAR).map((piece) => this.#read(piece));
    this.usesLabels = usesLabels;
  }

  /**
   * Reads `*` (one or more characters), `[*]` (the asterisk itself), `{namespace}`, `{name}` and
   * `{namespace.labels['<key>']}`. `canonical` brings what is around them into the form of the values that are compared.
   * Throws an Error that names what can't be read.
   */
  static parse(text: string, comparison: Comparison, canonical: (shape: string) => string = (shape) => shape): Glob {
    if (MARKS.test(text)) throw new Error('it holds a character of the private use area');
    const fields: Field[] = [];
    let usesLabels = false;
    const shape = text.replace(TOKEN, (token, label?: string) => {
      if (token === '*') return STAR;
      if (token === '[*]') return '*';
      if (token === '{' || token === '}')
        throw new Error("it holds a brace outside of {namespace}, {name} and {namespace.labels['<key>']}");
      usesLabels ||= label !== undefined;
      fields.push(token === '{namespace}' ? namespaceOf : token === '{name}' ? nameOf : labelOf(label ?? ''));
      return String.fromCharCode(FIRST_FILLED + fields.length - 1);
    });
    return new Glob(canonical(shape), fields, usesLabels, comparison);
  }

  /** The one text that it matches; undefined where it has a wildcard or a placeholder. */
  get only(): string | undefined {
    return MARKS.test(this.#shape) ? undefined : this.#shape;
  }

  /** Whether it has placeholders. */
  get isFilledIn(): boolean {
    return this.#fields.length > 0;
  }

  /** Whether all texts that it matches in a namespace are the anchor itself. */
  get isOneAnchor(): boolean {
    const [piece = []] = this.#pieces;
    return this.#pieces.length === 1 && !piece.some(isName);
  }

  /** The globs of the parts before and behind the position that `at` finds, which are compared in two ways. */
  split(at: (shape: string) => number, head: Comparison, tail: Comparison): readonly [Glob, Glob] {
    const position = at(this.#shape);
    return [
      new Glob(this.#shape.slice(0, position), this.#fields, this.usesLabels, head),
      new Glob(this.#shape.slice(position), this.#fields, this.usesLabels, tail),
    ];
  }

  /**
   * Whether the value consists of the pieces, in order, with at least one wildcard character between two of them. The
   * earliest place for each piece is enough to try: a later one would have the wildcard before it cover the earlier one too.
   */
  matches(value: string, fill: Fill): boolean {
    const pieces = this.#pieces;
    let end = endOfPrefix(value, pieces[0] ?? [], fill);
    if (pieces.length === 1 || end === NOWHERE) return end === value.length;
    const last = startOfSuffix(value, pieces[pieces.length - 1] ?? [], fill);
    for (let index = 1; index < pieces.length - 1; index++) {
      const piece = filled(pieces[index] ?? [], fill);
      const at: number = piece === undefined ? NOWHERE : value.indexOf(piece, end + 1);
      if (piece === undefined || at === NOWHERE || !this.#covers(value, end, at)) return false;
      end = at + piece.length;
    }
    return last > end && this.#covers(value, end, last);
  }

  /**
   * What every text that it matches in this namespace begins with, or ends with; undefined where it matches none. Used to
   * find the few patterns that may match, so it may be shorter than it could be.
   */
  anchor(side: Side, fill: Fill): string | undefined {
    const piece = this.#pieces.at(side === 'begin' ? 0 : -1) ?? [];
    let text = '';
    for (const each of side === 'begin' ? piece : piece.toReversed()) {
      if (isName(each)) return text;
      const next = textOf(each, fill);
      if (next === undefined) return undefined;
      text = side === 'begin' ? text + next : next + text;
    }
    return text;
  }

  #covers(value: string, from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (!this.#comparison.wildcard.has(value[at] as string)) return false;
    return true;
  }

  #read(piece: string): Piece {
    const parts = piece.split(FILLED).filter((part) => part !== '');
    return parts.map((part) => {
      const field = this.#fields[part.charCodeAt(0) - FIRST_FILLED];
      if (field === undefined) return part;
      // A namespace is one label in lower case.
      if (!this.#comparison.isHost || field === namespaceOf) return field;
      return field === nameOf ? nameInHost : (fill) => oneLabel(field(fill)?.toLowerCase());
    });
  }
}

const NOWHERE = -1;

/** Where the piece ends at the begin of the value. */
function endOfPrefix(value: string, piece: Piece, fill: Fill): number {
  let end = 0;
  for (const each of piece) {
    const text = textOf(each, fill);
    if (text === undefined || !value.startsWith(text, end)) return NOWHERE;
    end += text.length;
  }
  return end;
}

/** Where the piece begins at the end of the value. */
function startOfSuffix(value: string, piece: Piece, fill: Fill): number {
  let start = value.length;
  for (let index = piece.length - 1; index >= 0; index--) {
    const text = textOf(piece[index] as Piece[number], fill);
    if (text === undefined || !value.endsWith(text, start)) return NOWHERE;
    start -= text.length;
  }
  return start;
}

function filled(piece: Piece, fill: Fill): string | undefined {
  const texts = piece.map((each) => textOf(each, fill));
  return texts.includes(undefined) ? undefined : texts.join('');
}

function textOf(each: Piece[number], fill: Fill): string | undefined {
  return typeof each === 'string' ? each : each(fill) || undefined;
}

// Names of Kubernetes are in lower case; values of labels needn't be.
const namespaceOf: Field = ({ namespace }) => namespace;
const nameOf: Field = ({ name }) => name;
const nameInHost: Field = ({ name }) => oneLabel(name);

function isName(each: Piece[number]): boolean {
  return each === nameOf || each === nameInHost;
}

function oneLabel(text: string | undefined): string | undefined {
  return text?.includes('.') ? undefined : text;
}

function labelOf(key: string): Field {
  return ({ labels }) => labels.get(key);
}
