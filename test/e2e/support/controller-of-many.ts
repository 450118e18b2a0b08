/**
 * The controller as src/main.ts starts it, with metrics of 20,000 certificates that don't exist: to create that many would
 * take minutes.
 */
import { startApp } from '../../../src/app.ts';
import { systemClock } from '../../../src/clock.ts';
import { parseCommandLine } from '../../../src/config.ts';
import { createLogger } from '../../../src/log.ts';
import { showMany } from '../../unit/many-series.ts';

export const SHOWN = 20_000;

if (import.meta.main) {
  const command = parseCommandLine(process.argv.slice(2), process.env, false);
  if (!('config' in command)) throw new Error('the test passes no --help');
  const log = createLogger(command.config.logLevel, command.config.logFormat);
  const { metrics, metricsPort, healthPort } = await startApp(command.config, systemClock, log, () => process.exit(1));
  showMany(metrics, SHOWN);
  log.info('serving', { metricsPort, healthPort });
}
