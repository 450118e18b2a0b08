import type { ClientReader } from '../support/client.ts';
import { keyStores, passwordFile } from '../support/key-stores.ts';
import { javaCommand, lineClient, output } from '../support/programs.ts';

const FAILURES: ClientReader['failures'] = {
  expired: /Received fatal alert: certificate_expired/,
  'not yet valid': /Received fatal alert: certificate_expired/,
  // The server lists the CAs that it accepts, and Java shows no certificate of another one.
  'unknown CA': /Received fatal alert: (certificate_required|handshake_failure)/,
  'for server auth alone': /Received fatal alert: bad_certificate/,
  // Java doesn't compare key and certificate; the server finds the wrong signature.
  'key mismatch': /Received fatal alert: decrypt_error/,
  'wrong format': /toDerInputStream rejects tag type|Invalid keystore format/,
  'server: expired': /CertificateExpiredException: NotAfter/,
  'server: not yet valid': /CertificateNotYetValidException: NotBefore/,
  'server: unknown CA': /PKIX path building failed: .*unable to find valid certification path to requested target/,
  'server: another name': /No subject alternative DNS name matching localhost found/,
  'server: for client auth alone': /Extended key usage does not permit use for TLS server authentication/,
};

export const java: ClientReader = {
  name: 'client-java',
  title: 'Java HttpClient, PKCS#12',
  source: 'OpenJDK',
  reloads: 'a new HttpClient for each version of the Secret',
  outputs: (credentials) => keyStores(credentials),
  install: () => installed('pkcs12'),
  failures: FAILURES,
};

export const javaJks: ClientReader = {
  ...java,
  name: 'client-java-jks',
  title: 'Java HttpClient, JKS',
  outputs: (credentials) => keyStores(credentials, 'JKS'),
  install: () => installed('jks'),
};

async function installed(format: string) {
  const [program, ...args] = await javaCommand();
  const version = (await output([program, ...args, 'version'])).replace('Java ', '');
  return lineClient(`Java HttpClient, ${format}`, version, [program, ...args, 'client'], {
    more: { format, password: passwordFile() },
  });
}
