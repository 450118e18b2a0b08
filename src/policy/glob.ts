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
  /** Whether values are in lower case, so that what is filled in must be too. */
  readonly isLowerCase: boolean;
}

// Marks inside a pattern that was read; all are in the private use area, which no pattern may hold.
const STAR = '\uE000';
const FILLED = /[\uE001-\uF8FF]/g;
const FIRST_FILLED = 0xe001;
const MARKS = /[\uE000-\uF8FF]/;

const TOKEN = /\[\*\]|\*|\{namespace\}|\{name\}|\{namespace\.labels\['([^'{}]{1,317})'\]\}|[{}]/g;

/** What a placeholder stands for; undefined for nothing. */
type Field = (fill: Fill) => string | undefined;

/** A text with wildcards and placeholders, read once. */
export class Glob {
  /** The pattern, with one mark for each wildcard and placeholder. */
  readonly #shape: string;
  readonly #fields: readonly Field[];
  readonly #stars: readonly string[] | undefined;
  readonly usesLabels: boolean;

  private constructor(shape: string, fields: readonly Field[], usesLabels: boolean) {
    this.#shape = shape;
    this.#fields = fields;
    this.#stars = shape.search(FILLED) === -1 ? shape.split(STAR) : undefined;
    this.usesLabels = usesLabels;
  }

  /**
   * Reads `*` (one or more characters), `[*]` (the asterisk itself), `{namespace}`, `{name}` and
   * `{namespace.labels['<key>']}`. `canonical` brings what is around them into the form of the values that are compared.
   * Throws an Error that names what can't be read.
   */
  static parse(text: string, canonical: (shape: string) => string = (shape) => shape): Glob {
    if (MARKS.test(text)) throw new Error('it holds a character of the private use area');
    const fields: Field[] = [];
    const keys = new Set<string>();
    const shape = text.replace(TOKEN, (token, label?: string) => {
      if (token === '*') return STAR;
      if (token === '[*]') return '*';
      if (token === '{' || token === '}')
        throw new Error("it holds a brace outside of {namespace}, {name} and {namespace.labels['<key>']}");
      if (label !== undefined) keys.add(label);
      fields.push(token === '{namespace}' ? namespaceOf : token === '{name}' ? nameOf : labelOf(label ?? ''));
      return String.fromCharCode(FIRST_FILLED + fields.length - 1);
    });
    return new Glob(canonical(shape), fields, keys.size > 0);
  }

  /** Whether there is neither a wildcard nor a placeholder in it; then `text` is all that it matches. */
  get isPlain(): boolean {
    return this.#stars?.length === 1;
  }

  get text(): string {
    return this.#shape;
  }

  /** The globs of the parts before and behind the position that `at` finds in the shape. */
  split(at: (shape: string) => number): readonly [Glob, Glob] {
    const position = at(this.#shape);
    return [this.#part(this.#shape.slice(0, position)), this.#part(this.#shape.slice(position))];
  }

  /** Whether the value fits. A placeholder for a label that the namespace lacks, or whose value is empty, fits nothing. */
  matches(value: string, fill: Fill, { wildcard, isLowerCase }: Comparison): boolean {
    if (this.#stars !== undefined) return matchesPieces(this.#stars, value, wildcard);
    if (!isLowerCase && !this.#mayBegin(value, fill)) return false;
    const filled = this.#filled(fill);
    const pieces = (isLowerCase ? filled?.toLowerCase() : filled)?.split(STAR);
    return pieces !== undefined && matchesPieces(pieces, value, wildcard);
  }

  /** The pattern as a person reads it, filled in. */
  shown(fill: Fill): string {
    return (this.#filled(fill) ?? this.#shape).replaceAll(STAR, '*').replace(FILLED, '{…}');
  }

  #part(shape: string): Glob {
    return new Glob(shape, this.#fields, this.usesLabels);
  }

  /** Rules most values out without making a text. */
  #mayBegin(value: string, fill: Fill): boolean {
    const [first = STAR] = this.#shape;
    if (first === STAR) return true;
    const field = this.#fields[first.charCodeAt(0) - FIRST_FILLED];
    return value.startsWith(field === undefined ? first : (field(fill) ?? '\0'));
  }

  #filled(fill: Fill): string | undefined {
    let isWhole = true;
    const text = this.#shape.replace(FILLED, (mark) => {
      const value = this.#fields[mark.charCodeAt(0) - FIRST_FILLED]?.(fill) ?? '';
      isWhole &&= value !== '';
      return value;
    });
    return isWhole ? text : undefined;
  }
}

/**
 * Whether the value consists of the pieces, in order, with at least one wildcard character between two of them. The earliest
 * place for each piece is enough to try: a later one would have the wildcard before it cover the earlier one too.
 */
function matchesPieces(pieces: readonly string[], value: string, wildcard: ReadonlySet<string>): boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let end = first.length;
  for (const piece of others) {
    const at = value.indexOf(piece, end + 1);
    if (at === -1 || !isCovered(value, end, at, wildcard)) return false;
    end = at + piece.length;
  }
  const at = value.length - last.length;
  return at > end && value.endsWith(last) && isCovered(value, end, at, wildcard);
}

function isCovered(value: string, from: number, to: number, wildcard: ReadonlySet<string>): boolean {
  for (let at = from; at < to; at++) if (!wildcard.has(value[at] as string)) return false;
  return true;
}

function namespaceOf({ namespace }: Fill): string {
  return namespace;
}

function nameOf({ name }: Fill): string {
  return name;
}

function labelOf(key: string): Field {
  return ({ labels }) => labels.get(key);
}
