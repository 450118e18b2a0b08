import { join } from 'node:path';
import { debianLibraries, unpackDebian } from '../../../programs/debian.ts';
import { installCurl } from '../../clients/curl.ts';
import { nodeHttps } from '../../clients/node.ts';
import { requests } from '../../clients/python.ts';
import { apache } from '../../servers/apache.ts';
import { haproxy } from '../../servers/haproxy.ts';
import { nginx } from '../../servers/nginx.ts';
import { openssl } from '../../servers/openssl.ts';
import { authority, SERVER } from '../authority.ts';
import { available, unavailable } from '../available.ts';
import type { ClientReader } from '../client.ts';
import { clientStage } from '../client-stage.ts';
import { refusalOf } from '../client-words.ts';
import type { ServerReader } from '../reader.ts';
import { startStage } from '../stage.ts';
import { type CaseTable, logged, seenBy } from './case-table.ts';

const CLOCKS = { ahead: '+2d', behind: '-2d' } as const;
type Clock = keyof typeof CLOCKS;

/** With variables that give a program another time. Go asks the kernel itself, so they change nothing for its programs. */
type Environment = Readonly<Record<string, string>>;

// Not Java: its timers run by the other clock as well, so requests time out at times.
const CLIENTS: readonly ClientReader[] = [nodeHttps, requests];

const SERVERS: readonly (readonly [ServerReader, log: RegExp])[] = [
  [nginx, /client SSL certificate verify error: \(\d+:[^)]*\)/],
  [haproxy, /verify=[1-9]\d* /],
  [apache, /Certificate Verification: Error \(\d+\): [\w ]+/],
  [openssl, /verify error:num=\d+:[\w ]+/],
];

/** What programs say whose clock is wrong by two days, and what their peers see. */
export async function wrongClockCases(): Promise<CaseTable> {
  const folder = await available('libfaketime', () => unpackDebian('libfaketime').catch(unavailable));
  const rows: (readonly string[])[] = [];
  const environment = (clock: Clock): Environment => ({
    LD_PRELOAD: join(debianLibraries(folder ?? '').LD_LIBRARY_PATH ?? '', 'faketime/libfaketimeMT.so.1'),
    FAKETIME: CLOCKS[clock],
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  if (folder !== undefined)
    for (const clock of ['ahead', 'behind'] as const) {
      const curl: ClientReader = { ...nodeHttps, title: 'curl', install: () => installCurl(environment(clock)) };
      for (const reader of [curl, ...CLIENTS]) rows.push(...(await clientRows(reader, clock, environment(clock))));
      for (const [reader, log] of SERVERS) rows.push(...(await serverRows(reader, log, clock, environment(clock))));
    }
  return {
    title: 'A clock that is wrong by two days',
    text: 'A clock that is ahead shows as an expired certificate, one that is behind as a certificate that is not yet valid.',
    columns: ['whose clock', 'the client prints or sees', 'the server logs'],
    rows,
  };
}

async function clientRows(reader: ClientReader, clock: Clock, environment: Environment) {
  const program = await available(reader.title, reader.install);
  if (program === undefined) return [];
  const ca = await authority(2);
  const stage = await clientStage(reader, { own: await ca.issue(), server: await ca.issue(SERVER), tls: '1.3' });
  const client = await started(environment, () => program.start());
  const text = await refusalOf(reader, client, stage);
  await client.stop();
  await stage.stop();
  return [[`${reader.title} (client), ${clock}`, `\`${text}\``, '']];
}

async function serverRows(reader: ServerReader, log: RegExp, clock: Clock, environment: Environment) {
  const program = await available(reader.title, reader.install);
  if (program === undefined) return [];
  const ca = await authority(2);
  const own = await ca.issue(SERVER);
  const { server } = await started(environment, () => startStage(program, own));
  const text = await seenBy({ port: server.port, ca: own.ca, client: await ca.issue() });
  const why = await logged(server.log, 0, log);
  await server.stop();
  return [[`${reader.title} (server), ${clock}`, text, `\`${why.trim()}\``]];
}

/** What `start` starts has these variables. */
async function started<T>(environment: Environment, start: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    return await start();
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
