import { VERSION } from './version.ts';

const OLDEST_NODE = 24;

const major = Number(process.versions.node.split('.')[0]);
if (major < OLDEST_NODE) fail(`needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}`);

// Loaded only now: an older Node would stop here with an error that nobody understands.
const { helpText, parseCommandLine } = await import('./config.ts');
const { systemClock } = await import('./clock.ts');
const { createLogger } = await import('./log.ts');

try {
  const command = parseCommandLine(process.argv.slice(2), process.env, process.stderr.isTTY === true);
  if ('print' in command) console.log(command.print === 'help' ? helpText() : VERSION);
  else await run(command.config);
} catch (error) {
  fail((error as Error).message);
}

async function run(config: Parameters<typeof import('./app.ts')['startApp']>[0]): Promise<void> {
  const log = createLogger(config.logLevel, config.logFormat);
  log.info('certwheel starts', { version: VERSION, node: process.versions.node, pid: process.pid });
  process.on('unhandledRejection', (error) => {
    log.error('unhandled rejection, please report it', { stack: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  });
  const { startApp } = await import('./app.ts');
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

/** One line on standard error, and exit code 1. */
function fail(message: string): never {
  console.error(`certwheel: ${message.split('\n')[0]}`);
  process.exit(1);
}
