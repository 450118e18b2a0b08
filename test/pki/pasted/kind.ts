import type { MaterialFlaw } from '../../../src/pki/material.ts';

type Want = 'certificate' | 'key';

/** Something that people put under tls.crt or tls.key. */
export interface Pasted {
  readonly want: Want;
  readonly name: string;
  /** A shell script that writes it to stdout; see Workshop for the files that it finds. */
  readonly make: string;
  /** Absent where it is accepted. */
  readonly flaw?: MaterialFlaw;
  /** A part of the refusal. */
  readonly message: string;
  /** What is typed when the command of the message asks for passwords. */
  readonly answers?: string;
  /** The key that is accepted, at once or after the command, is not that of the CA. */
  readonly other?: boolean;
  /** Why that which the command makes is refused in its turn. */
  readonly afterwards?: MaterialFlaw;
  /** Programs that the command of the message needs and that a system may lack. */
  readonly needs?: readonly string[];
}

/** Answers to a password and its repetitions. */
export const SECRET = 'secret\nsecret\nsecret\n';

export const UTF16 = 'this is UTF-16, as PowerShell writes it; convert it with: iconv';

type Details = Pick<Pasted, 'answers' | 'other' | 'afterwards' | 'needs'>;

export function accepted(want: Want) {
  return (name: string, make: string, details: Details = {}): Pasted => ({ want, name, make, message: '', ...details });
}

export function refused(want: Want, flaw: MaterialFlaw) {
  return (name: string, make: string, message: string, details: Details = {}): Pasted => ({
    want,
    name,
    make,
    flaw,
    message,
    ...details,
  });
}
