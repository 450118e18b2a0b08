// Between Envoy's ext_authz (HTTP) and the data API of Open Policy Agent. Envoy sends the request's method, path and the
// header x-forwarded-client-cert; the answer 200 permits the request, 403 denies it.
import { createServer } from 'node:http';

const { OPA = 'http://127.0.0.1:8181', PORT = '9191' } = process.env;

createServer(async (request, response) => {
  response.writeHead((await isAllowed(request).catch(report)) === true ? 200 : 403).end();
}).listen(Number(PORT), '127.0.0.1');

async function isAllowed({ method, url = '', headers }) {
  // One element, since Envoy has replaced what the client sent: Hash=…;Cert="…", with the PEM percent-encoded.
  const [, encoded = ''] = /;Cert="([^"]*)"$/.exec(headers['x-forwarded-client-cert'] ?? '') ?? [];
  const input = { method, path: url, certificate: decodeURIComponent(encoded) };
  const answer = await fetch(`${OPA}/v1/data/mtls/allow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  return (await answer.json()).result;
}

function report(error) {
  console.error('no answer of OPA:', error.message);
}
