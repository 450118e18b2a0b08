import '../node-version.ts';
import { systemClock as clock } from '../clock.ts';
import { KubeconfigConnection } from '../kube/auth.ts';
import { KubeClient } from '../kube/client.ts';
import { createLogger } from '../log.ts';
import { messageOf } from '../thrown.ts';
import { VERSION } from '../version.ts';
import { parseResponderFlags } from './flags.ts';
import { followKeys } from './keys.ts';
import { CrlLists } from './lists.ts';
import { OcspAnswers } from './ocsp-answers.ts';
import { serveResponder } from './responder.ts';

// A process of its own: verifiers from anywhere may ask it, and it has no CA key. A flood of requests does not touch the controller.
try {
  const {
    address,
    namespace,
    keys: folder,
    kubeconfig,
    logLevel,
    logFormat,
  } = parseResponderFlags(process.argv.slice(2));
  const log = createLogger(logLevel, logFormat);
  const stopping = new AbortController();
  const { signal } = stopping;
  const client = new KubeClient({ connections: new KubeconfigConnection({ kubeconfig, clock, logger: log }), clock });
  const lists = new CrlLists({ client, clock, logger: log }, namespace);
  const keys = followKeys(folder, { clock, log, signal });
  const server = await serveResponder(address, { lists, keys, answers: new OcspAnswers(lists, keys, clock), clock });
  void lists.follow(signal);
  log.info('the revocation responder serves', { version: VERSION, port: server.port, pid: process.pid });
  const stop = async () => {
    stopping.abort();
    await server.close();
    await client.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  console.error(`certwheel-responder: ${messageOf(error).split('\n')[0]}`);
  process.exit(1);
}
