import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StartError } from '../start-error.ts';
import { type Address, SERVING_OPTIONS, type ServingConfig, toServingConfig } from './flags.ts';

type Values = Parameters<typeof toServingConfig>[0];

const STANDARD = Object.fromEntries(SERVING_OPTIONS.map(({ flag, standard }) => [flag, standard])) as Values;
const configOf = (given: Partial<Values>): ServingConfig => toServingConfig({ ...STANDARD, ...given });

const ADDRESSES: Record<string, Address> = {
  ':9': { host: undefined, port: 9 },
  ':0': { host: undefined, port: 0 },
  '0': { host: undefined, port: -1 },
  'localhost:80': { host: 'localhost', port: 80 },
  '[::]:65535': { host: '::', port: 65_535 },
};

for (const [text, address] of Object.entries(ADDRESSES)) {
  test(`${text} is an address`, () => assert.equal(configOf({ 'metrics-bind-address': text }).metricsAddress, address));
}

test('metrics are plain and open by default', () => {
  const { metricsTls, metricsAuthentication } = configOf({});
  assert.equal([metricsTls, metricsAuthentication], [undefined, false]);
});

test('certificate and key turn TLS on', () => {
  const { metricsTls } = configOf({ 'metrics-tls-cert-file': '/a', 'metrics-tls-key-file': '/b' });
  assert.equal(metricsTls, { certFile: '/a', keyFile: '/b' });
});

const BAD: Record<string, [given: Partial<Values>, named: string]> = {
  'a port alone': [{ 'metrics-bind-address': '8080' }, '--metrics-bind-address 8080'],
  'a port that is too large': [{ 'metrics-bind-address': ':65536' }, '--metrics-bind-address :65536'],
  'a port that is a word': [{ 'health-probe-bind-address': ':http' }, '--health-probe-bind-address :http'],
  'a certificate without its key': [{ 'metrics-tls-cert-file': '/a' }, '--metrics-tls-key-file'],
  'a key without its certificate': [{ 'metrics-tls-key-file': '/a' }, '--metrics-tls-cert-file'],
  'authentication that is neither on nor off': [{ 'metrics-authentication': 'token' }, '--metrics-authentication'],
  'more series than there can be certificates': [{ 'certificate-series': '1000001' }, '--certificate-series 1000001'],
};

for (const [sentence, [given, named]] of Object.entries(BAD)) {
  test(`${sentence} is named in one line`, () => {
    assert.throws(
      () => configOf(given),
      (error: unknown) => error instanceof StartError && error.message.includes(named) && !error.message.includes('\n'),
    );
  });
}

test.run();
