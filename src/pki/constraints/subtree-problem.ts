import { isAscii } from 'node:buffer';
import { isHostForGo, isHostForJava } from './hosts.ts';
import { type NameConstraints, prefixLength, type Subtree } from './subtrees.ts';

/** Why a verifier refuses a CA for the form of its name constraints, whatever is below, as a verb phrase. */
export function subtreesProblem({ critical, permitted, excluded }: NameConstraints): string | undefined {
  if (permitted.length + excluded.length === 0) return 'has empty name constraints, which Go refuses';
  for (const subtree of [...permitted, ...excluded]) {
    const problem = subtreeProblem(subtree, critical);
    if (problem !== undefined) return `has the name constraint ${subtree.text}, ${problem}`;
  }
  return undefined;
}

function subtreeProblem({ form, base, bounded }: Subtree, critical: boolean): string | undefined {
  if (bounded) return 'whose minimum or maximum OpenSSL and Java refuse';
  switch (form) {
    case 'directory':
    case 'other':
      return critical
        ? 'which Go refuses in critical name constraints: its crypto/x509 compares no names of that kind'
        : undefined;
    case 'ip':
      return ipProblem(base);
    case 'dns':
      return base.length === 0 ? undefined : textProblem(base, isDomainBase);
    case 'uri':
      return textProblem(base, (text) => isHostForJava(withoutDot(text)) && !/^[0-9.]+$/.test(text));
    case 'email':
      return textProblem(base, isMailBase);
  }
}

function ipProblem(base: Buffer): string | undefined {
  if (base.length !== 8 && base.length !== 32) return 'which is no IP range';
  return prefixLength(base.subarray(base.length / 2)) === undefined
    ? "whose mask isn't a run of ones, which Go refuses"
    : undefined;
}

function textProblem(base: Buffer, isFit: (text: string) => boolean): string | undefined {
  if (base.length === 0) return 'which is empty: Java refuses that';
  return isAscii(base) && isFit(base.toString('latin1')) ? undefined : "which Go or Java can't read";
}

function isDomainBase(text: string): boolean {
  return isHostForGo(withoutDot(text));
}

function withoutDot(text: string): string {
  return text.startsWith('.') ? text.slice(1) : text;
}

const MAILBOX = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(.+)$/;

function isMailBase(text: string): boolean {
  if (!text.includes('@')) return isDomainBase(text);
  const host = MAILBOX.exec(text)?.[1];
  return host !== undefined && isHostForGo(host);
}
