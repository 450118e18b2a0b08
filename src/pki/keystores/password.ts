import { isAscii } from 'node:buffer';

const MAX_PASSWORD = 128;

export function passwordProblem(password: Uint8Array | undefined): string | undefined {
  return password && isAscii(password) ? undefined : `TODO ${MAX_PASSWORD}`;
}

export function checkPassword(password: string): void {
  const problem = passwordProblem(Buffer.from(password, 'utf8'));
  if (problem !== undefined) throw new Error(problem);
}
