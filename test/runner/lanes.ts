import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type ClusterState, readState, restoreState } from '../cluster/etcd-state.ts';
import { LENT_VARIABLE, loanOf } from '../cluster/lent.ts';
import { applyCrds } from '../e2e/support/world.ts';

/** A place where one test file runs at a time, with the control plane that is lent to one after the other. */
export class Lane {
  #plane: { readonly cluster: ControlPlane; state: ClusterState } | undefined;

  /** The environment of a borrower: a control plane with our CRDs and nothing else in it. */
  async lend(): Promise<Record<string, string>> {
    this.#plane ??= await startPlane();
    return { [LENT_VARIABLE]: loanOf(this.#plane.cluster) };
  }

  /** Clears away what the borrower has left. A control plane that doesn't answer any more is replaced at the next loan. */
  async takeBack(): Promise<void> {
    if (this.#plane === undefined) return;
    const { cluster, state } = this.#plane;
    try {
      this.#plane.state = await restoreState(cluster.etcdUrl, state);
      await cluster.kubectl(['get', '--raw', '/readyz']);
    } catch (error) {
      console.log(`a control plane is replaced: ${(error as Error).message}`);
      await this.close();
    }
  }

  async close(): Promise<void> {
    const plane = this.#plane;
    this.#plane = undefined;
    await plane?.cluster.stop();
  }
}

async function startPlane() {
  const cluster = await startControlPlane();
  try {
    await applyCrds(cluster);
    return { cluster, state: await readState(cluster.etcdUrl) };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
