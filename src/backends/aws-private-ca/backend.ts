import type { AwsPrivateCABackend } from '../../api/generated/types.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { withinLimit } from '../http/client.ts';
import { concealErrors } from '../http/conceal-errors.ts';
import { connectionOf } from '../http/connection.ts';
import type { Environment } from './ambient.ts';
import { parseCaArn, publicEndpoint, stsServer } from './arn.ts';
import { PcaClient } from './client.ts';
import { loginOf } from './login.ts';
import { PrivateCa } from './private-ca.ts';
import { Sessions } from './sessions.ts';
import { Sts } from './sts.ts';

/** Throws an AuthorityError for an ARN whose endpoints aren't known, or an STS that its author may not name. */
export function backendOf(spec: AwsPrivateCABackend, deps: BackendDeps, environment: Environment): Backend {
  const arn = parseCaArn(spec.arn);
  const { region } = arn;
  const server = spec.endpoint ?? publicEndpoint(arn, 'acm-pca', 'awsPrivateCA.endpoint');
  const options = connectionOf(spec, deps);
  const sts = new Sts({ server: stsServer(spec, arn, deps, 'awsPrivateCA'), region }, options, deps);
  const sessions = new Sessions(loginOf(spec, sts, deps, environment, 'auth'), deps.clock);
  const ca = new PrivateCa(spec, arn, new PcaClient({ server, region }, sessions, options, deps), deps);
  const backend: Backend = {
    check: (signal) => withinLimit(signal, (all) => ca.check(all)),
    trust: (signal) => withinLimit(signal, (all) => ca.trust(all)),
    issue: (request, signal) => withinLimit(signal, (all) => ca.issue(request, all)),
    revoke: (revocation, reason, signal) => withinLimit(signal, (all) => ca.revoke(revocation, reason, all)),
  };
  return concealErrors(backend, server, 'an AWS Private CA', deps);
}
