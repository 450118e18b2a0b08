import * as names from '../../api/names.ts';
import { shared } from '../../api/shared.ts';
import { LONGEST_TEMPLATE_KEYS } from './annotations.ts';
import { briefly } from './brief.ts';

type Entries = Readonly<Record<string, string>>;

const NOTHING: Entries = Object.freeze({});

/** Undefined where nothing came from a template, or where the Secret remembers nonsense. */
export function keysOfTemplate(annotations: Entries): ReadonlySet<string> | undefined {
  const text = annotations[names.TEMPLATE_KEYS_ANNOTATION] ?? '';
  return text === '' || text.length > LONGEST_TEMPLATE_KEYS ? undefined : new Set(text.split(','));
}

/** Those of `keys`, brief. What is not of the template isn't kept: a tenant may put a quarter of a mebibyte of it into each Secret. */
export function ofTemplate(entries: Entries, keys: ReadonlySet<string> | undefined): Entries {
  if (keys === undefined) return NOTHING;
  const found = Object.entries(entries).filter(([key]) => keys.has(key));
  return shared(found.length === 0 ? NOTHING : briefly(Object.fromEntries(found)));
}
