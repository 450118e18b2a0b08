import '../node-version.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import { VERSION } from '../version.ts';
import { parseResponderFlags } from './flags.ts';
import { followAccounts } from './folder.ts';
import { serveResponder } from './responder.ts';

// A process of its own: it is open to the internet, and has neither keys nor rights.
try {
  const config = parseResponderFlags(process.argv.slice(2));
  const log = createLogger(config.logLevel, config.logFormat);
  const stopping = new AbortController();
  const folder = followAccounts(config.accounts, { clock: systemClock, log, signal: stopping.signal });
  const server = await serveResponder(config.address, folder);
  log.info('the ACME responder serves', { version: VERSION, port: server.port, pid: process.pid });
  const stop = async () => {
    stopping.abort();
    await server.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  console.error(`certwheel-acme-responder: ${messageOf(error).split('\n')[0]}`);
  process.exit(1);
}
