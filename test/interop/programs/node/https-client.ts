import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { answerQuestions, type Client } from './lines.ts';
import { Mounted } from './mounted.ts';

function open(folder: string): Client {
  const mounted = new Mounted(folder);
  // `timeout` closes idle connections, so those of a former certificate go too.
  const agent = new Agent({ keepAlive: true, timeout: 60_000 });
  return {
    async get(url) {
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Client['get']>>>();
      // Throws at once where certificate and key don't match. The agent pools connections by certificate, key and CAs: a new version of the Secret gets new connections. A new
      // agent isn't needed, and `agent.destroy()` would cut requests that run.
      const call = request(url, { agent, ...mounted.current(), timeout: 10_000 }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      call.on('timeout', () => call.destroy(new Error('no answer within 10 s')));
      call.on('error', reject);
      call.end();
      return promise;
    },
    close: () => agent.destroy(),
  };
}

await answerQuestions(open);
