/** Which field of HAProxy's log has the reason: that of the client's certificate, or that of one above it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { stopAll } from '../teardown.ts';
import { haproxy } from './servers/haproxy.ts';
import { authority, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import { request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);

const program = await available(haproxy.title, haproxy.install);

if (program !== undefined)
  for (const [chain, log] of [
    [1, /verify=20 ca_verify=0 /],
    [2, /verify=0 ca_verify=20 /],
  ] as const)
    test(`a client of another CA with a chain of ${chain} is logged as ${log.source}`, async () => {
      const ca = await authority(2);
      const { server, own } = await startStage(program, await ca.issue(SERVER));
      const client = await (await authority(chain, 'Another CA')).issue();
      const refusal = await request({ port: server.port, ca: own.ca, client, settleMs: 300 }).catch(
        (error: Error) => error,
      );
      assert.instance(refusal, Error);
      await eventually('the reason is logged', () => log.test(server.log()), 10_000);
    });

test.run();
