import { createHash } from 'node:crypto';
import type { ProbeProtocol } from '../api/verifiers.ts';
import { LimitedLanes } from '../backends/http/limited-lanes.ts';
import type { Answer, Credentials, Question } from './answer.ts';
import { type Endpoint, endpointText } from './endpoints.ts';
import { type Judgement, judge } from './judge.ts';
import type { ServerTrust } from './server-trust.ts';

/** A CA generation that is asked about. */
export interface Subject {
  readonly version: number;
  /** Fingerprints of the CA certificate and of what verifiers must trust. */
  readonly fingerprint: string;
  readonly anchor: string;
  readonly name: string;
  /** Why another machine gives no certificate for a probe, so that none can be shown; undefined where one can. */
  readonly withoutLeaf?: string | undefined;
  /** Undefined where it can sign none any more. */
  readonly leaf: Credentials | undefined;
  readonly rogue: Credentials | undefined;
  /** Names (DER) of the CAs in its chain. */
  readonly issuerNames: readonly Buffer[];
}

export interface EndpointResult {
  readonly endpoint: string;
  /** By the version of the generation. */
  readonly judgements: ReadonlyMap<number, Judgement>;
  readonly serverNotAfter: Date | undefined;
}

export interface RoundDeps {
  ask(question: Question): Promise<Answer>;
  /** Of each answer: which kind of certificate was shown. */
  answered(certificate: 'genuine' | 'rogue', answer: Answer): void;
  /** Milliseconds of a monotonic clock. */
  nowMs(): number;
}

interface Target {
  /** For fairness: rounds of one namespace delay those of others little. */
  readonly namespace: string;
  readonly serverName: string;
  readonly serverTrust: ServerTrust;
  readonly protocol: ProbeProtocol;
}

/** Questions at the same time, of all verifiers together, and of one namespace. */
const AT_ONCE = 32;
const AT_ONCE_PER_NAMESPACE = 8;
const LANES = new LimitedLanes(AT_ONCE, 4_096);
/** What has not been asked by then is unknown in this round. */
const LONGEST_ROUND_MS = 60_000;
const NOT_ASKED: Answer = {
  outcome: 'Unknown',
  seen: 'not asked, because the round took too long',
  seconds: 0,
  demand: undefined,
  serverNotAfter: undefined,
};

/** Asks each endpoint about each CA generation, and with a rogue certificate for each: their names differ. */
export function askAll(
  endpoints: readonly Endpoint[],
  subjects: readonly Subject[],
  target: Target,
  deps: RoundDeps,
): Promise<EndpointResult[]> {
  const endMs = deps.nowMs() + LONGEST_ROUND_MS;
  return Promise.all(
    endpoints.map((endpoint) =>
      inLane(laneOf(target.namespace, endpoint), () => askOne(endpoint, subjects, target, deps, endMs)),
    ),
  );
}

function laneOf(namespace: string, endpoint: Endpoint): string {
  const [byte = 0] = createHash('sha256').update(endpointText(endpoint)).digest();
  return `${namespace} ${byte % AT_ONCE_PER_NAMESPACE}`;
}

function inLane<T>(lane: string, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const isTaken = LANES.enter(lane, (done) => void work().then(resolve, reject).finally(done));
    if (!isTaken) reject(new Error('too many verifiers wait to be asked'));
  });
}

async function askOne(
  endpoint: Endpoint,
  subjects: readonly Subject[],
  target: Target,
  deps: RoundDeps,
  endMs: number,
): Promise<EndpointResult> {
  let silent: Answer | undefined;
  const show = async (kind: 'genuine' | 'rogue', credentials: Credentials | undefined) => {
    // One that has given no answer gives none to the next question, and each takes as long as it may.
    if (credentials === undefined || silent !== undefined) return silent;
    if (deps.nowMs() > endMs) return NOT_ASKED;
    const { serverName, serverTrust, protocol } = target;
    const answer = await deps.ask({ ...endpoint, serverName, serverTrust, credentials, protocol });
    deps.answered(kind, answer);
    if (answer.outcome === 'Unknown' && answer.demand === undefined) silent = answer;
    return answer;
  };
  const answers: { subject: Subject; leaf: Answer | undefined; rogue: Answer | undefined }[] = [];
  for (const subject of subjects) {
    const leaf = await show('genuine', subject.leaf);
    answers.push({ subject, leaf, rogue: await show('rogue', subject.rogue) });
  }
  const accepted = (except: Subject) =>
    answers.some(({ subject, leaf }) => subject !== except && leaf?.outcome === 'Accepted');
  const judgements = answers.map(({ subject, leaf, rogue }): [number, Judgement] => [
    subject.version,
    judge({ leaf, rogue, issuerNames: subject.issuerNames, acceptsAnother: accepted(subject) }),
  ]);
  const serverNotAfter = answers.map(({ leaf }) => leaf?.serverNotAfter).find((each) => each !== undefined);
  return { endpoint: endpointText(endpoint), judgements: new Map(judgements), serverNotAfter };
}
