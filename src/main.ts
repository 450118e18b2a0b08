import './node-version.ts';
import { startApp } from './app.ts';
import { systemClock } from './clock.ts';
import { type Config, helpText, parseCommandLine } from './config.ts';
import { createLogger } from './log.ts';
import { stackOf } from './stack.ts';
import { messageOf } from './thrown.ts';
import { VERSION } from './version.ts';

try {
  const [subcommand, ...args] = process.argv.slice(2);
  if (subcommand === 'audit') await audit(args);
  else if (subcommand === 'shard') await shard(args);
  else await control();
} catch (error) {
  // One line on standard error: the logs of a Pod that doesn't start are read on a telephone.
  console.error(`certwheel: ${messageOf(error).split('\n')[0]}`);
  process.exit(1);
}

/** The exit code 2 stands for what can't be told, such as a file that isn't there. */
async function audit(args: readonly string[]): Promise<void> {
  const { runAudit } = await import('./audit/command.ts');
  process.exitCode = await runAudit(args, console.log).catch((error: unknown) => {
    console.error(`certwheel: ${messageOf(error).split('\n')[0]}`);
    return 2;
  });
}

async function shard(args: readonly string[]): Promise<void> {
  const { shardCommand } = await import('./shards/command.ts');
  console.log(shardCommand(args));
}

async function control(): Promise<void> {
  const command = parseCommandLine(process.argv.slice(2), process.env, process.stderr.isTTY === true);
  if ('print' in command) console.log(command.print === 'help' ? helpText() : VERSION);
  else await run(command.config);
}

async function run(config: Config): Promise<void> {
  const log = createLogger(config.logLevel, config.logFormat);
  log.info('certwheel starts', { version: VERSION, node: process.versions.node, pid: process.pid });
  const die = (what: string) => (error: unknown) => {
    log.error(`${what}, please report it`, { stack: stackOf(error) });
    process.exit(1);
  };
  process.on('unhandledRejection', die('unhandled rejection'));
  // Node would print the line that threw, which in the bundle is as long as a book.
  process.on('uncaughtException', die('uncaught exception'));
  const app = await startApp(config, systemClock, log, () => process.exit(1));
  log.info('serving', { metricsPort: app.metricsPort, healthPort: app.healthPort });
  const stop = () => {
    app.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
