import { AuthorityError } from '../../errors.ts';

const MOST_IN_NAMESPACE = 4;
/** Of all processes, so many are for ClusterCertificateAuthorities alone: tenants must not keep those of the cluster away. */
const CLUSTER_SHARE = 1 / 4;

/** How many signer processes there are, and may be. */
export class ProcessLimit {
  readonly #byNamespace = new Map<string | undefined, number>();

  /**
   * Counts the signer process of an authority of a namespace, or of the cluster kind where that is undefined; the answer takes it
   * off again, and may be called more than once. `most` is the limit over all. Throws an AuthorityError where there are as many
   * as there may be.
   */
  count(namespace: string | undefined, most: number): () => void {
    const before = this.#byNamespace.get(namespace) ?? 0;
    if (namespace !== undefined && before >= MOST_IN_NAMESPACE) throw namespaceFull(namespace, before);
    const forTenants = most - Math.floor(most * CLUSTER_SHARE);
    const all = this.#sum(() => true);
    const tenants = this.#sum((each) => each !== undefined);
    if (all >= most || (namespace !== undefined && tenants >= forTenants))
      throw full(all, most, namespace === undefined ? undefined : forTenants);
    this.#byNamespace.set(namespace, before + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#byNamespace.get(namespace) ?? 1) - 1;
      if (left === 0) this.#byNamespace.delete(namespace);
      else this.#byNamespace.set(namespace, left);
    };
  }

  #sum(counts: (namespace: string | undefined) => boolean): number {
    let sum = 0;
    for (const [namespace, count] of this.#byNamespace) if (counts(namespace)) sum += count;
    return sum;
  }
}

/** Of this controller. */
export const PROCESSES = new ProcessLimit();

function namespaceFull(namespace: string, count: number): AuthorityError {
  return new AuthorityError(
    'NamespaceFull',
    `namespace ${namespace} has ${count} authorities with keys in an HSM already, each with a process of its own; delete one that is not needed`,
  );
}

function full(all: number, most: number, forTenants: number | undefined): AuthorityError {
  const share =
    forTenants === undefined || forTenants === most ? '' : `, of which CertificateAuthorities have ${forTenants}`;
  return new AuthorityError(
    'BackendDisabled',
    `the controller has ${all} authorities with keys in an HSM, each with a process of its own, and --pkcs11-processes allows ${most}${share}; delete one that is not needed, or raise controller.pkcs11.processes in the values of the chart, which raises the memory limit too`,
  );
}
