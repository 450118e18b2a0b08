import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { issueRequest } from '../../../test/unit/issue-request.ts';
import { certificateId, createCall, requestUuid, templateName } from './request.ts';

const SPEC = { project: 'p-1', location: 'europe-west3', caPool: 'clients' };

test('the same request has the same ids, another one has others, and Google takes them', () => {
  const ids = ['a', 'b', '9f1c-0011223344556677'].map((id) => [certificateId(id), requestUuid(id)] as const);
  assert.is(new Set(ids.flat()).size, 6);
  for (const [id, uuid] of ids) {
    assert.match(id, /^[a-zA-Z0-9_-]{1,63}$/);
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  // They must outlive an upgrade: a request that was lost is repeated by the next version.
  assert.equal(ids[0], ['certwheel-ab1ee1d3101278549b89d9eff03237d7037125e1', '34d1dc3e-04bb-8f70-91a8-cb85614ef94b']);
});

test('a request has its life in whole seconds, and only what the spec names', async () => {
  const request = await issueRequest();
  const plain = createCall(SPEC, request, 3_600_900);
  const { searchParams, pathname } = new URL(`https://x/v1/${plain.path}`);
  assert.is(pathname, '/v1/projects/p-1/locations/europe-west3/caPools/clients/certificates');
  assert.equal([...searchParams.keys()], ['certificateId', 'requestId']);
  assert.equal(Object.keys(plain.body), ['pemCsr', 'lifetime']);
  assert.is(plain.body.lifetime, '3600s');
  const full = { ...SPEC, certificateAuthority: 'ca-1', certificateTemplate: 'client' };
  const call = createCall(full, request, 60_000, { validateOnly: true });
  const { searchParams: more } = new URL(`https://x/v1/${call.path}`);
  assert.equal([more.get('issuingCertificateAuthorityId'), more.get('validateOnly')], ['ca-1', 'true']);
  assert.is(call.body.certificateTemplate, 'projects/p-1/locations/europe-west3/certificateTemplates/client');
});

test('a template of another project is named in full', () => {
  const certificateTemplate = 'projects/q/locations/l/certificateTemplates/t';
  assert.is(templateName({ ...SPEC, certificateTemplate }), certificateTemplate);
  assert.is(templateName(SPEC), undefined);
});

test.run();
