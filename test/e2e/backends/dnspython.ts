import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { unpackDebian } from '../../programs/debian.ts';

/** What dnspython is asked about one message; bytes in hex. */
export interface DnspythonQuestion {
  readonly keyName: string;
  readonly algorithm: string;
  readonly secret: string;
  /** Seconds since 1970. */
  readonly now: number;
  /** A request with a TSIG. */
  readonly request: string;
}

export interface DnspythonAnswer {
  /** Why it refused the request; empty where it accepted it. */
  readonly refusal: string;
  /** As it prints the request. */
  readonly printed: string;
  /** Its signed answer to the request. */
  readonly answer: string;
}

const SCRIPT = `
import json, sys, time
import dns.message, dns.name, dns.tsig, dns.rcode
for line in sys.stdin:
    question = json.loads(line)
    time.time = lambda: question['now']
    name = dns.name.from_text(question['keyName'])
    key = dns.tsig.Key(name, bytes.fromhex(question['secret']), question['algorithm'])
    try:
        request = dns.message.from_wire(bytes.fromhex(question['request']), keyring={name: key})
        answer = dns.message.make_response(request)
        print(json.dumps({'refusal': '', 'printed': request.to_text(), 'answer': answer.to_wire().hex()}))
    except Exception as error:
        print(json.dumps({'refusal': repr(error), 'printed': '', 'answer': ''}))
`;

/** The folder of Python's packages with dnspython, from Debian. */
export async function dnspythonFolder(): Promise<string> {
  return join(await unpackDebian('python3-dnspython'), 'usr/lib/python3/dist-packages');
}

/** One process answers all questions. */
export async function askDnspython(
  folder: string,
  questions: readonly DnspythonQuestion[],
): Promise<DnspythonAnswer[]> {
  const child = spawn('python3', ['-c', SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: folder },
  });
  try {
    child.stdin.end(questions.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const output = await text(child.stdout);
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as DnspythonAnswer);
  } finally {
    child.kill('SIGKILL');
  }
}
