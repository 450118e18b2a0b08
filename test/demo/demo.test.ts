import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isRunning } from '../cluster/process-identity.ts';
import { eventually } from '../e2e/support/eventually.ts';
import { onStop, stopAll } from '../teardown.ts';

test.after(stopAll);

test('DEMO_ROTATIONS ends it once each certificate was rotated as often, and a line tells of each thing', async () => {
  const demo = new Demo({ DEMO_ROTATIONS: '1' });
  await demo.shows(/handshakes: /);
  demo.remember();
  assert.is(await demo.end(), 0, demo.output);
  for (const name of ['server', 'client', 'client-b']) {
    const issued = new RegExp(`^\\d\\d:\\d\\d:\\d\\d  ${name} +issued +([0-9a-f]{8}), good for \\d\\d s$`, 'm');
    const serial = issued.exec(demo.output)?.[1];
    assert.match(
      demo.output,
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d  ${name} +rotated ${serial} -> [0-9a-f]{8}, new key, \\d\\d s before expiry$`,
        'm',
      ),
    );
  }
  assert.match(demo.output, /^ {2}look for yourself: \S+kubectl --kubeconfig \S+ get ccert -n certwheel-demo -w$/m);
  assert.match(demo.output, /^\d\d:\d\d:\d\d {2}handshakes: \d+ ok, 0 failed$/m);
  assert.match(demo.output, /rotations {5}server [12], client [12], client-b [12]\n/);
  const [, issued, used] = /certificates +(\d) issued, no two with the same key; (\d) seen/.exec(demo.output) ?? [];
  assert.ok(Number(issued) >= 6, demo.output);
  assert.is(used, issued);
  assert.not.match(demo.output, '\x1b', 'without a terminal there is nothing to paint');
  await demo.leavesNothing();
});

test('Ctrl-C in the middle ends it in order: the summary, exit 0, nothing left behind', async () => {
  const demo = new Demo();
  await demo.shows(/ issued /);
  demo.remember();
  demo.process.kill('SIGINT');
  assert.is(await demo.end(), 0, demo.output);
  assert.match(demo.output, /certificates +3 issued/);
  assert.match(demo.output, /Nothing is left behind\.\n$/);
  await demo.leavesNothing();
});

test('Ctrl-C before there is anything to see leaves nothing behind either', async () => {
  const demo = new Demo();
  await eventually('its etcd runs', () => {
    demo.remember();
    return demo.started.size > 1;
  });
  demo.process.kill('SIGINT');
  assert.is(await demo.end(), 0, demo.output);
  assert.match(demo.output, 'It ended before the first certificate.');
  await demo.leavesNothing();
});

test('when the controller ends by itself it says so, with its last words, and keeps the logs', async () => {
  const demo = new Demo({ CERTWHEEL_MISSPELT: '1' });
  assert.is(await demo.end(), 1, demo.output);
  assert.match(demo.output, /the controller ended by itself \(exit code 1\)[\s\S]*CERTWHEEL_MISSPELT is unknown/);
  const logs = /kept for a day: (\S+)/.exec(demo.output)?.[1] ?? '';
  assert.match(readFileSync(join(logs, 'certwheel.log'), 'utf8'), 'CERTWHEEL_MISSPELT is unknown');
  rmSync(join(logs, '..'), { recursive: true });
  await demo.leavesNothing();
});

test('a DEMO_ROTATIONS that is no number is refused before anything starts', async () => {
  const demo = new Demo({ DEMO_ROTATIONS: 'many' });
  assert.is(await demo.end(), 1);
  assert.match(demo.output, /^DEMO_ROTATIONS=many is no number of rotations/);
  await demo.leavesNothing();
});

/** A demo without a terminal, whose temporary files are all in a folder of their own. */
class Demo {
  readonly process: ChildProcess;
  readonly started = new Set<number>();
  output = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'certwheel-demo-test-'));
  readonly #ended: Promise<unknown[]>;

  constructor(environment: Record<string, string> = {}) {
    this.process = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: this.#folder, ...environment },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#ended = once(this.process, 'close');
    onStop(() => this.process.kill('SIGKILL'));
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(
      `the demo shows ${pattern}`,
      () => {
        if (this.process.exitCode !== null) throw new Error(`the demo ended:\n${this.output}`);
        return pattern.test(this.output);
      },
      120_000,
    );
  }

  /** Notes which processes it has started, and they in turn: some are in groups and sessions of their own. */
  remember(): void {
    const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    const family = new Set([this.process.pid]);
    for (const pid of family) {
      for (const [child = 0, parent] of parents) {
        if (parent !== pid || family.has(child)) continue;
        family.add(child);
        this.started.add(child);
      }
    }
  }

  async end(): Promise<unknown> {
    return (await this.#ended)[0];
  }

  async leavesNothing(): Promise<void> {
    await eventually('its processes are gone', () => ![...this.started].some(isRunning));
    await eventually('its folders are gone', () => readdirSync(this.#folder).length === 0);
    rmSync(this.#folder, { recursive: true });
  }
}

test.run();
