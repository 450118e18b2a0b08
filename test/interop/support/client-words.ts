import type { ClientReader, Question, RunningClient } from './client.ts';

/** What the client says, the same in each run: without numbers of ports, processes and lines, times, and paths. */
export async function refusalOf(reader: ClientReader, client: RunningClient, question: Question): Promise<string> {
  let answer = await client.ask(question);
  for (let tries = 0; tries < 50 && 'error' in answer && reader.vague?.test(answer.error); tries++)
    answer = await client.ask(question);
  if (!('error' in answer)) throw new Error(`${reader.title} was served: ${JSON.stringify(answer)}`);
  return plain(answer.error, question);
}

export function plain(text: string, { port, directory }: Question): string {
  return text
    .replaceAll(`${directory}/`, '/tls/')
    .replaceAll(/\.\.2026_[\d_.]+/g, '..data')
    .replaceAll(String(port), '8443')
    .replaceAll(/\b(127\.0\.0\.1|\[::1\]):\d{5}\b/g, '$1')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/\b(NotAfter|NotBefore): [A-Z][a-z]{2} [\w: ]+? \d{4}/g, '$1: TIME')
    .replaceAll(/0x[0-9a-f]{6,}/g, '0x…')
    .replaceAll(/\b[0-9A-F]{12,16}:error:/g, 'error:')
    .replaceAll(/ ?\(_ssl\.c:\d+\)/g, '')
    .replaceAll(/:[\w./-]+\.c:\d+:?/g, '')
    .trim();
}
