import { join } from 'node:path';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { moduleFiles } from '../../programs/module-files.ts';

const MODULE = 'github.com/prometheus-operator/prometheus-operator';
const KINDS = ['servicemonitors', 'prometheusrules'];

/** What the chart asks the cluster for, so that Helm renders what is for the Operator without asking any. */
export const OPERATOR_API = ['--api-versions', 'monitoring.coreos.com/v1'];

/** Makes the API server know the Prometheus Operator's kinds that the chart uses, from the Operator's own CRDs. */
export async function installOperatorCrds(cluster: ControlPlane): Promise<void> {
  const folder = await moduleFiles('prometheus-operator', MODULE);
  const files = KINDS.map((kind) => join(folder, `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`));
  await cluster.kubectl(['apply', '--server-side', ...files.flatMap((file) => ['--filename', file])]);
  // The schemas that it publishes come a little after the kinds themselves.
  await eventually('the API server publishes the schemas of the Operator', async () => {
    const { stdout: paths } = await cluster.kubectl(['get', '--raw', '/openapi/v3']);
    return paths.includes('apis/monitoring.coreos.com/v1');
  });
}
