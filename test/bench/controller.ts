/**
 * The controller as it ships, but for its clock, which the bench sets forward to make certificates due. A child process;
 * it answers questions over IPC.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { startApp } from '../../src/app.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { parseCommandLine } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import type { Answer, Question } from './protocol.ts';
import { WITH_A_SLOW_ONE } from './slow-authority.ts';

let aheadMs = Number(process.env.BENCH_AHEAD_MS ?? 0);
const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) };
const delay = monitorEventLoopDelay({ resolution: 5 });
const sockets: Socket[] = [];
subscribe('undici:client:connected', (message) => sockets.push((message as { socket: Socket }).socket));

const command = parseCommandLine(process.argv.slice(2), {}, false);
if (!('config' in command)) throw new Error('the bench passes no --help');
const log = createLogger(command.config.logLevel, command.config.logFormat);
// Only for the bench of neighbours is there a slow authority among them.
const definitions = command.config.namespaces?.includes('slow') ? WITH_A_SLOW_ONE : undefined;
const app = await startApp(command.config, clock, log, () => process.exit(1), definitions);
await app.ready;
log.info('ready');
reply({ ready: true });

// A bench that was killed leaves nothing behind.
process.on('disconnect', () => process.exit(1));
process.on('message', async (question: Question) => {
  switch (question.ask) {
    case 'advance':
      aheadMs += question.ms;
      return timeLoop();
    case 'timeLoop':
      return timeLoop();
    case 'state': {
      const cpu = process.cpuUsage();
      const state = {
        rotations: await sumOf('certwheel_rotations_total'),
        cpuMs: (cpu.user + cpu.system) / 1000,
        loopDelayP99Ms: delay.percentile(99) / 1e6,
        loopDelayMaxMs: delay.max / 1e6,
        bytesReceived: sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
        metricsPort: app.metricsPort,
      };
      return reply({ state });
    }
    case 'stop':
      await app.stop();
      process.exit(0);
  }
});

function timeLoop(): void {
  delay.enable();
  delay.reset();
}

async function sumOf(name: string): Promise<number> {
  const metric = await app.metrics.registry.getSingleMetric(name)?.get();
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

function reply(answer: Answer): void {
  process.send?.(answer);
}
