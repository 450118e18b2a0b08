import type { RawObject } from '../../api/parse.ts';
import { cut, oneLine } from '../../foreign-text.ts';

/** A condition of another program's object: none of its fields can be relied on. */
interface ForeignCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

export function foreignCondition(object: RawObject, type: string): ForeignCondition | undefined {
  const { conditions = [] } = (object.status ?? {}) as { conditions?: ForeignCondition[] };
  return conditions.find((each) => each.type === type);
}

/** The condition if it says yes. */
export function trueCondition(object: RawObject, type: string): ForeignCondition | undefined {
  const found = foreignCondition(object, type);
  return found?.status === 'True' ? found : undefined;
}

const LONGEST = 400;

/** What it says for itself, cut to what fits in a sentence. */
export function wordsOf({ reason = '', message = '' }: ForeignCondition): string {
  const text = [reason, message].filter((each) => each !== '').join(': ');
  return text === '' ? 'without a reason' : cut(oneLine(text), LONGEST);
}
