/**
 * The conformance suite against a real service, with the credentials in the environment: `make verify-backend
 * BACKEND=awsPrivateCA`. It says first what that costs, and goes on when it is told to.
 */
import { createInterface } from 'node:readline/promises';
import { test } from 'uvu';
import { messageOf } from '../../../src/thrown.ts';
import { interruption } from '../../demo/interruption.ts';
import { stopAll } from '../../teardown.ts';
import { conformance } from './conformance.ts';
import type { Environment } from './real-environment.ts';
import type { RealSubject } from './subject.ts';

/** Of each kind of authority that is a service with accounts. */
const SUBJECTS: Readonly<Record<string, () => Promise<(env: Environment) => RealSubject>>> = {
  acme: async () => (await import('./acme-subject.ts')).realSubject,
  googleCAS: async () => (await import('./google-cas-real.ts')).realSubject,
  cloudflare: async () => (await import('./cloudflare-real.ts')).realSubject,
  awsPrivateCA: async () => (await import('./aws-private-ca-real.ts')).realSubject,
};

const { BACKEND = '', CONFIRM } = process.env;
const load = Object.hasOwn(SUBJECTS, BACKEND) ? SUBJECTS[BACKEND] : undefined;
if (load === undefined) refuse(`BACKEND is ${BACKEND || 'not set'}; give one of ${Object.keys(SUBJECTS).join(', ')}`);
const subject = subjectOf(await load());
console.log(`make verify-backend BACKEND=${BACKEND} makes at the real service: ${subject.costs}.`);
if (!(await isConfirmed())) refuse('nothing was done; answer yes, or set CONFIRM=yes');
conformance(subject);
void interruption().then(end);
test.run();

/** Ends what was started, the last first: a subject removes then what it has made at the service. */
async function end(): Promise<never> {
  console.error('ending, and removing at the service what can be removed; wait for it');
  await stopAll();
  console.error('ended');
  return process.exit(130);
}

function subjectOf(real: (env: Environment) => RealSubject): RealSubject {
  try {
    return real(process.env);
  } catch (error) {
    return refuse(messageOf(error));
  }
}

async function isConfirmed(): Promise<boolean> {
  if (CONFIRM !== undefined || !process.stdin.isTTY) return CONFIRM === 'yes';
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question('Go on? (yes or no) ');
  lines.close();
  return answer.trim() === 'yes';
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
