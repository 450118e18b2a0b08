import { readBounded } from '../../bounded-body.ts';
import { AuthorityError } from '../../errors.ts';

/** The body of an answer as text. Throws an AuthorityError that says `problem` as soon as it is too long. */
export async function readText(body: AsyncIterable<Buffer>, maxBytes: number, problem: string): Promise<string> {
  const text = await readBounded(body, maxBytes);
  if (text === undefined) throw new AuthorityError('AuthorityMisconfigured', problem, { unproven: true });
  return text;
}
