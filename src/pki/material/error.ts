export type MaterialFlaw =
  | 'TooLarge'
  | 'Empty'
  | 'NotPem'
  | 'NotACertificate'
  | 'EncryptedKey'
  | 'UnreadableKey'
  | 'NoKey';

/**
 * Refusal of the bytes under one key of a Secret. The message names the place, the number of the block where there is
 * one, what was seen and how to mend it. Of the bytes themselves it quotes a label at most.
 */
export class MaterialError extends Error {
  readonly flaw: MaterialFlaw;

  constructor(flaw: MaterialFlaw, message: string) {
    super(message);
    this.name = 'MaterialError';
    this.flaw = flaw;
  }
}

/** What the caller needs from the bytes. */
export type Want = 'certificate' | 'key';

/** Why some bytes can't be used, without the place. */
export interface Finding {
  readonly flaw: MaterialFlaw;
  /** The end of a sentence that begins with "this is". */
  readonly what: string;
  /** What to do, in the imperative. Where a command does it, the text ends with `with: COMMAND`. */
  readonly remedy: string;
  /** The file that the command of `remedy` reads, and that command; absent where no command can mend it. */
  readonly input?: string;
  readonly command?: string;
}

/** A finding that one command mends. */
export function mendedBy(
  what: string,
  how: string,
  input: string,
  command: string,
  flaw: MaterialFlaw = 'NotPem',
): Finding {
  return { flaw, what, remedy: `${how} with: ${command}`, input, command };
}

/** Thrown inside of the folder and turned into a MaterialError, which knows the place, at its edge. */
export class Refusal extends Error {
  readonly finding: Finding;
  /** Of the block where it shows, from 1; undefined where it is about all bytes. */
  readonly block: number | undefined;

  constructor(finding: Finding, block?: number) {
    super(finding.what);
    this.finding = finding;
    this.block = block;
  }
}
