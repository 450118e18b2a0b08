import { createInterface } from 'node:readline';

interface Question {
  readonly url: string;
  /** Where the Secret is mounted. */
  readonly folder: string;
  /** The name of a client that keeps its connections; a new one unless given. */
  readonly keep?: string;
}

export interface Client {
  get(url: string): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

/** Answers a question in JSON per line by a line of JSON, until the input ends. */
export async function answerQuestions(open: (folder: string) => Client): Promise<void> {
  const kept = new Map<string, Client>();
  for await (const line of createInterface({ input: process.stdin })) {
    const { url, folder, keep } = JSON.parse(line) as Question;
    const client = kept.get(keep ?? '') ?? open(folder);
    if (keep !== undefined) kept.set(keep, client);
    const answer = await client.get(url).catch((error: Error) => ({ error: textOf(error) }));
    if (keep === undefined) client.close();
    console.log(JSON.stringify(answer));
  }
  process.exit(0);
}

/** What an operator finds in a log: the message, and those of the causes. */
function textOf(error: Error & { code?: string }): string {
  const own = [error.code, error.message].filter(Boolean).join(': ');
  return error.cause instanceof Error ? `${own} (${textOf(error.cause)})` : own;
}
