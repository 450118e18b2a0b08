import * as assert from 'uvu/assert';
import type { Authorities } from './authorities.ts';
import { type Credentials, SERVER } from './authority.ts';
import type { Cell } from './cells.ts';
import type { ServerReader } from './reader.ts';
import { type Answer, refusalText, request } from './request.ts';
import { WORKS } from './results.ts';
import { messageOf, type Stage } from './stage.ts';

/** `works`, or how it is refused. */
export async function tried(
  reader: ServerReader,
  { role, key, tls, chain, caKey }: Cell,
  authorities: Authorities,
  stage: (own: Credentials) => Promise<Stage>,
): Promise<string> {
  const isOwn = role === 'presents';
  const [usual, tried] = [await authorities.get(), await authorities.get(chain, caKey)];
  const own = await (isOwn ? tried : usual).issue(isOwn ? { ...SERVER, key } : SERVER);
  const client = await (isOwn ? usual : tried).issue(isOwn ? {} : { key });
  const trusted = (isOwn ? usual : tried).ca;
  const started = await stage({ ...own, ca: trusted }).catch((error: Error) => error);
  if (started instanceof Error) return excerpt(reader, messageOf(started));
  const { server } = started;
  try {
    const answer = await (reader.request ?? request)({ port: server.port, ca: own.ca, client, tls, settleMs: 20 });
    if (answer.status !== 200) return excerpt(reader, refusalText(answer));
    return provesIdentity(reader, answer, { own, client, tls });
  } catch (error) {
    return excerpt(reader, refusalText(error as Error));
  } finally {
    await server.stop();
  }
}

function provesIdentity(
  reader: ServerReader,
  answer: Answer,
  { own, client, tls }: { own: Credentials; client: Credentials; tls: string },
): string {
  const { subject, serial } = reader.identity(answer);
  assert.is(answer.protocol, `TLSv${tls}`);
  assert.is(answer.serverSerial, own.serial);
  assert.ok(subject.includes(client.commonName), `${subject} holds ${client.commonName}`);
  if (serial !== undefined) assert.is(serial, client.serial);
  return WORKS;
}

/** The part of a message that the reader expects somewhere, or its last line. */
function excerpt({ refusedCells = [] }: ServerReader, message: string): string {
  const found = refusedCells.map((each) => each.message.exec(message)?.[0]).find((each) => each !== undefined);
  return found ?? message.trim().split('\n').at(-1)?.trim() ?? '';
}
