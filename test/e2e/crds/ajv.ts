/** The generated schemas in ajv, with all its checks on. */
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import {
  certificateApprovalSchema,
  certificateAuthoritySchema,
  clientCertificateSchema,
  clusterCertificateAuthoritySchema,
} from '../../../src/api/generated/schemas.ts';
import type { Json } from './api.ts';
import type { Kind } from './samples.ts';

const ajv = new Ajv({ strict: true, useDefaults: true, allErrors: true });
addFormats.default(ajv);

const validators = {
  ClientCertificate: ajv.compile(clientCertificateSchema),
  CertificateAuthority: ajv.compile(certificateAuthoritySchema),
  ClusterCertificateAuthority: ajv.compile(clusterCertificateAuthoritySchema),
  CertificateApproval: ajv.compile(certificateApprovalSchema),
};

/** What ajv objects to (nothing: undefined), and the object with its defaults filled in. */
export function check(kind: Kind, object: Json): { problem: string | undefined; filled: Json } {
  const filled = structuredClone(object);
  const validate = validators[kind];
  const problem = validate(filled) ? undefined : ajv.errorsText(validate.errors);
  return { problem, filled };
}
