/** What a key store holds: a private key with its certificates. */
export interface KeyEntry {
  /** PKCS#8, DER. */
  readonly privateKeyPkcs8: Uint8Array;
  /**
   * DER, the leaf first. In PKCS#12 Java looks for each issuer by its name, so it passes over a second certificate of the same
   * subject.
   */
  readonly chain: readonly Uint8Array[];
  readonly alias: string;
}

/** For salts and initialization vectors. */
export type RandomBytes = (size: number) => Uint8Array;

/** More than any program needs; JKS can hold 65,535 bytes. */
const MAX_ALIAS = 256;

/** Why a key store can't have this alias; undefined if it can. */
export function aliasProblem(alias: string): string | undefined {
  if (alias.length === 0) return 'the alias is empty';
  if (alias.length > MAX_ALIAS) return `the alias has ${alias.length} characters; at most ${MAX_ALIAS} are possible`;
  // PKCS#12 holds it as BMPString, and JKS as modified UTF-8, which differs from UTF-8 in these characters alone.
  if (/[\ud800-\udfff]/.test(alias)) return 'the alias has a character above U+FFFF, which PKCS#12 cannot hold';
  if (/\p{Cc}/u.test(alias)) return 'the alias has a control character';
  return undefined;
}

/** Throws an Error for an alias that some reader can't take, and for an empty chain. */
export function checkKeyEntry({ alias, chain }: KeyEntry): void {
  const problem = aliasProblem(alias);
  if (problem !== undefined) throw new Error(problem);
  if (chain.length === 0) throw new Error('a key store without a certificate');
}

/** Throws an Error for none: Java can't verify with a trust store that is empty. */
export function checkTrusted(certificates: readonly Uint8Array[]): void {
  if (certificates.length === 0) throw new Error('a trust store without a certificate');
}

/** The first is cert-manager's name in JKS. Java keeps one entry for each alias, so subjects would not do. */
export function trustAlias(index: number): string {
  return index === 0 ? 'ca' : `ca-${index}`;
}
