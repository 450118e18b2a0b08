import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Command } from '../../programs/compiled.ts';

/** A program that answers each line with one line, in order. */
export interface LineProcess {
  /** Rejects if the program ends before it has answered, or takes longer than a minute. */
  ask(line: string): Promise<string>;
  /** Closes its input and waits for its end. */
  stop(): Promise<void>;
}

/** A path takes milliseconds. */
const LONGEST_ANSWER_MS = 60_000;
/** Bytes of the program's complaints that an error quotes. */
const MAX_COMPLAINT = 2000;

/** Starts the program. It has to end when its input ends, so that it never outlives this process. */
export function startLineProcess(name: string, [program, ...args]: Command): LineProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting: PromiseWithResolvers<string>[] = [];
  let complaint = '';
  let failure: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-MAX_COMPLAINT);
  });
  // The write that meets a program that has ended; its end says why.
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  const fail = (why: string) => {
    failure ??= new Error(`${name} ${why}\n${complaint}`);
    for (const each of waiting.splice(0)) each.reject(failure);
  };
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      fail(`did not start: ${error.message}`);
      resolve();
    });
    child.on('close', (code, signal) => {
      fail(`has ended (${signal ?? `exit code ${code}`})`);
      resolve();
    });
  });
  return {
    ask(line) {
      if (failure !== undefined) return Promise.reject(failure);
      const answer = Promise.withResolvers<string>();
      waiting.push(answer);
      child.stdin.write(`${line}\n`);
      const timer = setTimeout(() => {
        fail(`has not answered for ${LONGEST_ANSWER_MS / 1000} s`);
        child.kill('SIGKILL');
      }, LONGEST_ANSWER_MS);
      return answer.promise.finally(() => clearTimeout(timer));
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
