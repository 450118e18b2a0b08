import { readBounded } from '../../bounded-body.ts';
import { AuthorityError } from '../../errors.ts';

/** The body of an answer. Throws an AuthorityError that says `problem` as soon as it is too long. */
export async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, problem: string): Promise<Buffer> {
  const bytes = await readBounded(body, maxBytes);
  if (bytes === undefined) throw new AuthorityError('AuthorityMisconfigured', problem, { unproven: true });
  return bytes;
}
