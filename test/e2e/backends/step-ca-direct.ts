import type { StepCAProvisioner } from '../../../src/api/generated/types.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import type { BackendDeps, ReferencedData } from '../../../src/backends/backend-deps.ts';
import { stepCA } from '../../../src/backends/step-ca.ts';
import { systemClock } from '../../../src/clock.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import type { StepCa } from './servers/step-ca.ts';

/** The backend itself in front of a real step-ca, without a cluster around it: its Secret is what is given. */
export function backendOf(
  ca: StepCa,
  provisioner: string | StepCAProvisioner = 'certwheel',
  secret: ReferencedData = secretOf(ca),
): Backend {
  const deps: Pick<BackendDeps, 'secret' | 'clock' | 'clusterWide' | 'addresses'> & {
    objects: { namespace: string };
  } = {
    objects: { namespace: 'test' },
    secret: async () => secret,
    clock: systemClock,
    clusterWide: true,
    addresses: { loopback: true },
  };
  const spec = {
    server: ca.url,
    rootFingerprints: [ca.fingerprint],
    provisioner:
      typeof provisioner === 'string' ? { name: provisioner, secretRef: { name: 'credentials' } } : provisioner,
  };
  return stepCA.create(spec, deps as BackendDeps);
}

/** A certificate for a new key, as step-ca gives it. */
export async function askDirectly(backend: Backend): Promise<CertificateView> {
  return leafOf(await backend.issue(await issueRequest('direct'), new AbortController().signal));
}

function secretOf(ca: StepCa): ReferencedData {
  return { key: Buffer.from(ca.read('provisioner.key')), password: Buffer.from(ca.read('provisioner.password')) };
}
