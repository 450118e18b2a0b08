/** What a person sees who verifies a backend with an account, before anything is done there. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const AWS = {
  BACKEND: 'awsPrivateCA',
  AWS_PRIVATE_CA_ARN: 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
};

function run(env: Readonly<Record<string, string>>) {
  const program = `${import.meta.dirname}/account.ts`;
  return spawnSync(process.execPath, [program], { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
}

test('without a backend, or with one that is no service, it names those that are', () => {
  assert.match(run({}).stderr, /^BACKEND is not set; give one of acme, /);
  const { status, stderr } = run({ BACKEND: 'constructor' });
  assert.match(stderr, /^BACKEND is constructor; give one of/);
  assert.is(status, 2);
});

test('a variable that is not set is named, with the page that describes it', () => {
  const { status, stderr } = run({ ...AWS, AWS_PRIVATE_CA_ARN: '' });
  assert.match(stderr, /^AWS_PRIVATE_CA_ARN is not set; see docs\/authorities\/aws-private-ca\.md/);
  assert.is(status, 2);
});

test('all variables that are not set are named at once, of each backend, and a file that is not there', () => {
  const pages = {
    acme: ['acme', 7],
    awsPrivateCA: ['aws-private-ca', 3],
    cloudflare: ['cloudflare', 3],
    googleCAS: ['google-cas', 4],
  } as const;
  for (const [BACKEND, [page, count]] of Object.entries(pages)) {
    const { status, stderr } = run({ BACKEND });
    assert.match(
      stderr,
      new RegExp(`^([A-Z_]+, ){${count - 1}}[A-Z_]+ are not set; see docs/authorities/${page}\\.md`),
    );
    assert.is(status, 2);
  }
  const absent = { CLOUDFLARE_ZONE_ID: 'z', CLOUDFLARE_API_TOKEN: 't', CLOUDFLARE_MANAGED_CA: '/absent.pem' };
  const { stderr } = run({ BACKEND: 'cloudflare', ...absent });
  assert.match(stderr, /^CLOUDFLARE_MANAGED_CA: the file can't be read: ENOENT.*\/absent\.pem/);
});

test('it says what a run costs, and does nothing without a yes', () => {
  for (const answer of [{}, { CONFIRM: 'no' }]) {
    const { status, stdout, stderr } = run({ ...AWS, ...answer });
    assert.match(stdout, /makes at the real service: about \d+ certificates of the CA arn:aws:acm-pca:/);
    assert.match(stderr, /^nothing was done; answer yes, or set CONFIRM=yes/);
    assert.is(status, 2);
    assert.not.match(stdout + stderr, 'wJalrXUtnFEMI');
  }
});

test.run();
