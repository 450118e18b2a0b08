import { Agent, request } from 'undici';
import { answerQuestions, type Client } from './lines.ts';
import { type Material, Mounted } from './mounted.ts';

function open(folder: string): Client {
  const mounted = new Mounted(folder);
  let loaded: Material | undefined;
  let agent = new Agent();
  return {
    async get(url) {
      const material = mounted.current();
      if (material !== loaded) {
        // Requests that run end on their connections.
        void agent.close();
        agent = new Agent({ connect: { ...material }, headersTimeout: 10_000 });
        loaded = material;
      }
      const { statusCode, body } = await request(url, { dispatcher: agent });
      return { status: statusCode, body: await body.text() };
    },
    close: () => void agent.close(),
  };
}

await answerQuestions(open);
