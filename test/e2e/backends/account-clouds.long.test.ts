import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { filesOf, verify } from './account-run.ts';
import { serve } from './google-cas-subject.ts';
import { startFakeAws } from './servers/aws.ts';
import { startGoogleCas } from './servers/google-cas.ts';
import { LOCATION, PROJECT } from './servers/google-service.ts';

// `make verify-backend` from its variables to its last line, before the servers that the other tests have.

test.after(stopAll);

test('awsPrivateCA', async () => {
  const aws = await startFakeAws();
  const { accessKeyId, secretAccessKey } = aws.accessKey();
  const { CA } = filesOf({ CA: aws.tlsCa });
  const variables = {
    AWS_PRIVATE_CA_ARN: aws.arn,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_PRIVATE_CA_ENDPOINT: aws.url,
    AWS_PRIVATE_CA_CA_BUNDLE: CA,
  };
  await verify('awsPrivateCA', variables, () => aws.service.books.length);
  assert.is(aws.service.books.filter(({ revoked }) => revoked !== undefined).length, 1);
});

test('googleCAS', async () => {
  const google = await startGoogleCas();
  await serve(google);
  const { CA, KEY } = filesOf({
    CA: google.ca,
    KEY: google.identities.keyFile(`certwheel@${PROJECT}.iam.gserviceaccount.com`),
  });
  const variables = {
    GOOGLE_CAS_PROJECT: PROJECT,
    GOOGLE_CAS_LOCATION: LOCATION,
    GOOGLE_CAS_POOL: 'clients',
    GOOGLE_CAS_KEY_FILE: KEY,
    GOOGLE_CAS_ENDPOINT: google.url,
    GOOGLE_CAS_CA_BUNDLE: CA,
    NODE_EXTRA_CA_CERTS: CA,
  };
  await verify('googleCAS', variables, () => google.pool.booked);
  assert.equal(google.violations, []);
});

test.run();
