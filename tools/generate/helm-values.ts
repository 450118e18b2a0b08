/**
 * helm/certwheel/values.yaml as the generators see it: its values, each with the comment above it. Comments are lost on a
 * YAML parser, so the lines are read too; the file keeps to one form (mappings in block style, two spaces a level).
 */
import { load } from 'js-yaml';

export interface Value {
  /** `image.tag` */
  readonly path: string;
  readonly standard: unknown;
  /** The comment as one line, without its @schema. */
  readonly description: string;
  /** What stands behind @schema: the name of a shape, or keywords of JSON Schema in YAML. */
  readonly annotation: unknown;
  /** Undefined for a value that is handed on as it is. */
  readonly children: readonly Value[] | undefined;
}

const KEY = /^( *)([A-Za-z][A-Za-z0-9]*):/;
const SCHEMA = /^@schema (.+)$/;

interface Comment {
  readonly description: string;
  readonly annotation: unknown;
}

/** Throws where a value has no comment, or the file isn't in its form. */
export function readValues(text: string): Value[] {
  return valuesOf(load(text) as Record<string, unknown>, '', readComments(text));
}

function valuesOf(object: Record<string, unknown>, prefix: string, comments: ReadonlyMap<string, Comment>): Value[] {
  return Object.entries(object).map(([key, standard]) => {
    const path = `${prefix}${key}`;
    const { description = '', annotation } = comments.get(path) ?? {};
    const isGroup = annotation === undefined && isObject(standard) && Object.keys(standard).length > 0;
    if (!isGroup && description === '') throw new Error(`values.yaml: ${path} has no comment above it`);
    const children = isGroup ? valuesOf(standard, `${path}.`, comments) : undefined;
    return { path, standard, description, annotation, children };
  });
}

/** Path -> the comment right above its key; a blank line ends a comment. */
function readComments(text: string): Map<string, Comment> {
  const comments = new Map<string, Comment>();
  const parents: string[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const comment = /^ *# ?(.*)$/.exec(line)?.[1];
    const [, indent = '', key] = KEY.exec(line) ?? [];
    if (comment !== undefined) lines.push(comment);
    else {
      if (key !== undefined) {
        parents.length = indent.length / 2;
        parents.push(key);
        comments.set(parents.join('.'), commentOf(lines));
      }
      lines = [];
    }
  }
  return comments;
}

function commentOf(lines: readonly string[]): Comment {
  const annotation = lines.map((line) => SCHEMA.exec(line)?.[1]).find((found) => found !== undefined);
  return {
    description: lines.filter((line) => !SCHEMA.test(line)).join(' '),
    annotation: annotation === undefined ? undefined : load(annotation),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
