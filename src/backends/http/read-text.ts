import { AuthorityError } from '../../errors.ts';

/** The body of an answer as text. Throws an AuthorityError that says `problem` as soon as it is too long. */
export async function readText(body: AsyncIterable<Buffer>, maxBytes: number, problem: string): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    // Leaving the loop ends the connection too.
    if (length > maxBytes) throw new AuthorityError('AuthorityMisconfigured', problem, { unproven: true });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
