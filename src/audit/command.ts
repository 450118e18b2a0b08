import { readFile } from 'node:fs/promises';
import { AUDIT_CHECKPOINT_NAME } from '../api/books-names.ts';
import { CONFIG_MAPS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { systemClock } from '../clock.ts';
import { KubeconfigConnection } from '../kube/auth.ts';
import { KubeClient } from '../kube/client.ts';
import { createLogger } from '../log.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';
import { type Checkpoint, readCheckpoints } from './checkpoint.ts';
import {
  AUDIT_HELP,
  type CompareCommand,
  parseAuditCommand,
  type VerifyCommand,
  type WhoCommand,
} from './command-flags.ts';
import { Comparing, type Listed, parseListed } from './compare.ts';
import { comparisonText } from './compare-text.ts';
import { inOrder, linesOf } from './files.ts';
import { type ReadLine, readLine } from './line.ts';
import { type Finding, Verifier } from './verify.ts';
import { describe, describeUse, Tracer } from './who.ts';

/** Runs `certwheel audit ...`. Answers the exit code: 0 for yes, 1 for no. Throws StartError where that can't be told. */
export async function runAudit(args: readonly string[], print: (line: string) => void): Promise<number> {
  const command = parseAuditCommand(args);
  if (command === undefined) {
    print(AUDIT_HELP);
    return 0;
  }
  switch (command.do) {
    case 'verify':
      return verify(command, print);
    case 'who':
      return who(command, print);
    case 'compare':
      return compare(command, print);
  }
}

async function verify(
  { files, checkpoint, ...options }: VerifyCommand,
  print: (line: string) => void,
): Promise<number> {
  const checkpoints = checkpoint && (await checkpointsOf(checkpoint));
  const verifier = new Verifier({ ...options, ...(checkpoints && { checkpoints }) });
  for (const file of await readable(() => inOrder(files)))
    await readable(async () => {
      for await (const line of linesOf(file)) verifier.add(line);
    });
  const { findings, faults, lines, segments, from, to } = verifier.end();
  for (const each of findings) print(textOf(each));
  const span = from === undefined ? '' : ` from ${from} to ${to}`;
  print(
    `${count(lines, 'line')} of ${count(segments, 'segment')}${span}: ${faults === 0 ? 'intact' : count(faults, 'fault')}`,
  );
  return faults === 0 ? 0 : 1;
}

function textOf({ severity, at, message }: Finding): string {
  return [severity, at, message].filter((each) => each !== undefined).join(': ');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

async function who({ files, serials, keyPin, asJson }: WhoCommand, print: (line: string) => void): Promise<number> {
  const tracer = new Tracer(serials);
  const ofKey: ReadLine[] = [];
  const wanted = keyPin === undefined ? serials : [keyPin];
  const isWanted = ({ serial, keyPin: pin }: ReadLine['fields']) =>
    keyPin === undefined ? serials.includes(String(serial)) : pin === keyPin;
  const found: string[] = [];
  for (const file of await readable(() => inOrder(files)))
    await readable(async () => {
      for await (const { text } of linesOf(file)) {
        // Most lines are about another certificate.
        const line = wanted.some((each) => text.includes(each)) ? readLine(text) : undefined;
        if (line === undefined || !isWanted(line.fields)) continue;
        if (keyPin === undefined) tracer.add(line);
        else if (line.isIntact) ofKey.push(line);
        found.push(text);
      }
    });
  const { traces, altered } = tracer.end();
  if (asJson) for (const each of found) print(each);
  else
    for (const [index, each] of traces.entries()) print([...(index === 0 ? [] : ['']), ...describe(each)].join('\n'));
  if (altered > 0)
    print(`${count(altered, 'line')} about it were altered and are left out; see certwheel audit verify`);
  if (found.length === 0)
    print(`no line of these files is about ${keyPin === undefined ? 'serial' : 'key'} ${wanted.join(' or ')}`);
  if (!asJson) for (const each of ofKey) print(describeUse(each));
  return traces.length + ofKey.length > 0 ? 0 : 1;
}

async function compare({ files, list, ...options }: CompareCommand, print: (line: string) => void): Promise<number> {
  const comparing = new Comparing(await listedIn(list), options);
  for (const file of await readable(() => inOrder(files)))
    await readable(async () => {
      for await (const { text } of linesOf(file)) {
        const line = readLine(text);
        if (line !== undefined) comparing.add(line);
      }
    });
  const comparison = comparing.end();
  for (const each of comparisonText(comparison)) print(each);
  return comparison.missing.length > 0 ? 1 : 0;
}

async function listedIn(file: string): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  let at = 0;
  try {
    for await (const { text, number } of linesOf(file)) {
      at = number;
      const each = parseListed(text);
      if (each !== undefined) listed.push(each);
    }
  } catch (error) {
    throw new StartError(`--serials ${file}${at > 0 ? `, line ${at}` : ''}: ${messageOf(error)}`);
  }
  return listed;
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new StartError(`the audit log can't be read: ${messageOf(error)}`);
  }
}

async function checkpointsOf(place: NonNullable<VerifyCommand['checkpoint']>): Promise<readonly Checkpoint[]> {
  if ('file' in place) return readCheckpoints(await readObject(place.file));
  const { kubeconfig, namespace } = place;
  const connections = new KubeconfigConnection({
    kubeconfig,
    clock: systemClock,
    logger: createLogger('error', 'text'),
  });
  const client = new KubeClient({ connections, clock: systemClock });
  try {
    const found = await client.get(CONFIG_MAPS, namespace, AUDIT_CHECKPOINT_NAME);
    if (found === undefined)
      throw new StartError(`there is no ConfigMap ${namespace}/${AUDIT_CHECKPOINT_NAME}; see --controller-namespace`);
    return readCheckpoints(found);
  } finally {
    await client.close();
  }
}

async function readObject(file: string): Promise<RawObject> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RawObject;
  } catch (error) {
    throw new StartError(
      `--checkpoint ${file} is no object in JSON (${messageOf(error)}); write it with: kubectl get configmap ${AUDIT_CHECKPOINT_NAME} -n certwheel-system -o json`,
    );
  }
}
