import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { stopAll } from '../teardown.ts';
import { installEnvoy } from './servers/envoy.ts';
import { installOpa, startOpa } from './servers/opa.ts';
import { authority, SERVER } from './support/authority.ts';
import { available } from './support/available.ts';
import { proveFinance } from './support/prove-finance.ts';
import { request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);
const envoy = async ({ adapterPort }: { adapterPort: number }) => installEnvoy('opa.yaml', { 9191: adapterPort });

const hasEnvoy = await available('Envoy', installEnvoy);
const hasOpa = await available('Open Policy Agent', installOpa);
if (hasEnvoy !== undefined && hasOpa !== undefined) proveAll();

function proveAll(): void {
  proveFinance('Envoy with Open Policy Agent', async () => envoy(await startOpa()));

  for (const [details, status] of [
    ['SANITIZE_SET', 403],
    ['FORWARD_ONLY', 200],
  ] as const)
    test(`a header x-forwarded-client-cert of the client ${status === 200 ? 'reaches' : 'does not reach'} OPA with ${details}`, async () => {
      const ca = await authority(2);
      const { adapterPort } = await startOpa();
      const setting = { 'forward_client_cert_details: SANITIZE_SET': `forward_client_cert_details: ${details}` };
      const program = await installEnvoy('opa.yaml', { 9191: adapterPort, ...setting });
      const { server, own } = await startStage(program, await ca.issue(SERVER));
      const finance = await ca.issue({ subject: { commonName: 'ledger', organizationalUnits: ['finance'] } });
      const client = await ca.issue({ subject: { commonName: 'orders', organizationalUnits: ['sales'] } });
      const spoofed = { 'x-forwarded-client-cert': `Hash=00;Cert="${encodeURIComponent(finance.certificate)}"` };
      const call = { port: server.port, ca: own.ca, path: '/transactions', headers: spoofed };
      assert.is((await request({ ...call, client })).status, status);
      assert.is((await request({ ...call, client: finance })).status, 200);
    });

  test('without an answer of Open Policy Agent every request is denied', async () => {
    const ca = await authority(2);
    const opa = await startOpa();
    const { server, own } = await startStage(await envoy(opa), await ca.issue(SERVER));
    const client = await ca.issue({ subject: { commonName: 'ledger', organizationalUnits: ['finance'] } });
    const call = { port: server.port, ca: own.ca, path: '/transactions', client };
    assert.is((await request(call)).status, 200);
    await opa.stop();
    assert.is((await request(call)).status, 403);
    const [, admin = ''] = /admin address: (\S+)/.exec(server.log()) ?? [];
    const stats = await (await fetch(`http://${admin}/stats?filter=ext_authz`)).text();
    assert.match(stats, /^http\.web\.ext_authz\.denied: 1$/m);
    await eventually('the adapter logs it', () => opa.adapterLog().includes('no answer of OPA: '));
  });
}

test.run();
