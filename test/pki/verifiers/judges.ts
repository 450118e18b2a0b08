import { ensureJudge, JUDGES, type JudgeName } from './build.ts';
import { type LineProcess, startLineProcess } from './line-process.ts';

/** What a TLS server is shown, and what it trusts. Certificates are DER. */
export interface JudgeRequest {
  readonly leaf: Buffer;
  /** In the order of tls.crt, without the leaf. */
  readonly intermediates: readonly Buffer[];
  readonly anchors: readonly Buffer[];
  /** Milliseconds are cut off. */
  readonly at: Date;
  /** Whether the leaf has to be good for a TLS server too. */
  readonly serverAuth?: boolean;
}

/** Null where the verifier accepts, otherwise its reason. */
export interface Verdicts {
  readonly openssl: string | null;
  /** With X509_V_FLAG_X509_STRICT, which Python 3.13 and later set. */
  readonly opensslStrict: string | null;
  readonly go: string | null;
  readonly java: string | null;
}

export interface Judges {
  judge(request: JudgeRequest): Promise<Verdicts>;
  stop(): Promise<void>;
}

/** Starts one process of each verifier; builds them first if need be. Throws an Error that says what to install. */
export async function startJudges(): Promise<Judges> {
  const commands = await Promise.all(JUDGES.map(async (name) => [name, await ensureJudge(name)] as const));
  const processes = Object.fromEntries(
    commands.map(([name, command]) => [name, startLineProcess(`the ${name} judge`, command)]),
  ) as Record<JudgeName, LineProcess>;
  return {
    async judge(request) {
      const line = lineOf(request);
      const [both, go, java] = await Promise.all([
        processes.openssl.ask(line),
        processes.go.ask(line),
        processes.java.ask(line),
      ]);
      const [openssl, strict] = both.split('\t');
      return {
        openssl: verdict(openssl),
        opensslStrict: verdict(strict),
        go: verdict(go),
        java: verdict(java),
      };
    },
    async stop() {
      await Promise.all(Object.values(processes).map((each) => each.stop()));
    },
  };
}

/** Whether OpenSSL's default, Go and Java all accept. */
export function allAccept(verdicts: Verdicts): boolean {
  return refusalOf(verdicts) === null;
}

/** The reason of the first that refuses of OpenSSL's default, Go and Java; null where all three accept. */
export function refusalOf({ openssl, go, java }: Verdicts): string | null {
  return openssl ?? go ?? java;
}

/** See openssl/judge.c. */
function lineOf({ leaf, intermediates, anchors, at, serverAuth = false }: JudgeRequest): string {
  const seconds = Math.floor(at.getTime() / 1000);
  const usages = serverAuth ? 'client+server' : 'client';
  return [seconds, usages, leaf.toString('base64'), listOf(intermediates), listOf(anchors)].join(' ');
}

function listOf(certificates: readonly Buffer[]): string {
  return certificates.length === 0 ? '-' : certificates.map((der) => der.toString('base64')).join(',');
}

function verdict(answer: string | undefined): string | null {
  if (answer === undefined || answer === '') throw new Error('a judge gave an empty answer');
  return answer === 'ok' ? null : answer;
}
