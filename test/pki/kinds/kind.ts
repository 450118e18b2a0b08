/** The tools that make CA files here; each comes from `findTool`. */
export const TOOLS = [
  'openssl',
  'cfssl',
  'mkcert',
  'minica',
  'step',
  'keytool',
  'certtool',
  'easy-rsa',
  'vault',
  'go-cas',
] as const;

export type Tool = (typeof TOOLS)[number];

/** The middle one: the CA works, and has a flaw for which strict verifiers (Python 3.13 and later) refuse it. */
export type Verdict = 'Ready' | 'Ready, strict verifiers refuse' | 'Refused';

/**
 * What a refusal rests on. `path`: OpenSSL, Go or Java refuses each leaf of this CA. `form`: programs that load a PEM pair, such
 * as Go's crypto/tls, can't load the files. `rule`: verifiers may accept it, and Certwheel has a reason of its own.
 */
export type Ground = 'path' | 'form' | 'rule';

/** The names and usages that a certificate of the CA asks for; without them: CN=client, client.shop.svc, client auth. */
export interface Leaf {
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly emailAddresses?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly serverAuth?: true;
}

export interface Kind {
  /** What the files are, in a few words; unique. */
  readonly kind: string;
  readonly tool: Tool;
  /** Commands of bash, after recipes.sh, that leave tls.crt, tls.key and where needed ca.crt in the current folder. */
  readonly recipe: string;
  readonly leaf?: Leaf;
  /** Policies (OIDs) that a leaf must repeat, where the CA requires explicit ones. */
  readonly leafPolicies?: readonly string[];
  readonly verdict: Verdict;
  readonly ground?: Ground;
  /** What the refusal or the condition must say: the key of the Secret, and the remedy. */
  readonly message?: RegExp;
  /** One sentence for the table of the docs. */
  readonly remedy?: string;
}

/** The remedy of all flaws for which strict verifiers alone refuse a CA. */
export const CERTIFY_AGAIN = 'Run the command that the condition prints: it certifies the same key without the flaw.';

type Extras = Pick<Kind, 'leaf' | 'leafPolicies'>;

/** Makes the rows of one tool. */
export function kindsOf(tool: Tool) {
  return {
    ready: (kind: string, recipe: string, extras: Extras = {}): Kind => ({
      kind,
      tool,
      recipe,
      verdict: 'Ready',
      ...extras,
    }),
    strict: (kind: string, recipe: string, what: Pick<Kind, 'message' | 'remedy'> & Extras): Kind => ({
      kind,
      tool,
      recipe,
      verdict: 'Ready, strict verifiers refuse',
      ...what,
    }),
    refused: (
      kind: string,
      recipe: string,
      what: Required<Pick<Kind, 'ground' | 'message' | 'remedy'>> & Extras,
    ): Kind => ({ kind, tool, recipe, verdict: 'Refused', ...what }),
  };
}
