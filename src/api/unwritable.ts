/** What no YAML can carry, so that kubectl and other tools would be refused, or would store another text. */
const UNWRITABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/u;

/** A trust bundle is never written anywhere, and has any text around its PEM blocks. */
const NOT_WRITTEN = 'inline';

/** A spec that passed the schema is nowhere as deep; one that is stored may be anything. */
const DEEPEST = 16;

/**
 * Why a spec can't be published, with the field and the character: CEL checks it at each write, but what is stored may be
 * older than the rule. Undefined if every text in it can be written. Tab and line breaks are left to the patterns of the schema.
 */
export function unwritableProblem(spec: unknown): string | undefined {
  return problemAt(spec, 'spec', 0);
}

function problemAt(value: unknown, path: string, depth: number): string | undefined {
  if (typeof value === 'string') return problemIn(value, path);
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const problem = key === NOT_WRITTEN ? undefined : problemAt(inner, `${path}.${key}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemIn(text: string, path: string): string | undefined {
  const [found] = UNWRITABLE.exec(text) ?? [];
  if (found === undefined) return undefined;
  const point = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${path} holds U+${point}; control characters, line or paragraph separators, U+FFFE and U+FFFF are not allowed`;
}
