import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, StartError } from './config.ts';

export interface Page {
  readonly type: string;
  readonly body: string;
  readonly status?: number;
}

/** The pages of one port, by path. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

/** Serves plain GETs; answers what ends it, and the port that it got. Port -1 serves nothing. */
export async function serve(
  what: string,
  address: Address,
  pages: Pages,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  if (address.port === -1) return { port: -1, close: async () => {} };
  const server = createServer(listener(pages));
  await listen(server, what, address);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listener(pages: Pages): RequestListener {
  return async (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(page === undefined ? 404 : 405).end();
      return;
    }
    try {
      const { type, body, status = 200 } = await page();
      response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`);
    }
  };
}

function listen(server: Server, what: string, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use' : `can't be served (${error.message})`;
      reject(new StartError(`the port of ${what}, ${host ?? ''}:${port}, ${reason}; choose another one, see --help`));
    });
    server.listen(port, host, () => resolve());
  });
}
