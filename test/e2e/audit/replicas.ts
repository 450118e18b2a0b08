import { join } from 'node:path';
import { LEASES } from '../../../src/api/names.ts';
import { lines } from '../process/support/fleet.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { eventually, type World } from '../support/world.ts';
import { eventsIn } from './support.ts';

const LEASE = 'certwheel';

/** Two replicas with leader election, each with an audit log of its own that outlives it. One that ends is started again. */
export class Replicas {
  readonly #world: World;
  readonly #namespace: string;
  readonly files: readonly [string, string];
  readonly #running: [ControllerProcess, ControllerProcess];
  kills = 0;
  #isStopping = false;

  constructor(world: World, namespace: string, folder: string) {
    this.#world = world;
    this.#namespace = namespace;
    this.files = [join(folder, 'one.log'), join(folder, 'two.log')];
    this.#running = [this.#start(0), this.#start(1)];
  }

  /** How many requests and signatures the logs have. */
  noted(): number {
    return this.files.reduce(
      (so, file) => so + eventsIn(file, 'requested').length + eventsIn(file, 'signed').length,
      0,
    );
  }

  /** SIGKILL for the leader, or for the other one. */
  async kill(which: 'leader' | 'standby'): Promise<void> {
    const isLeader = (at: 0 | 1) => lines(this.#running[at].logs, 'became the leader').length > 0;
    await eventually('one leads', () => isLeader(0) || isLeader(1));
    const leader = isLeader(0) ? 0 : 1;
    const victim = which === 'leader' ? leader : leader === 0 ? 1 : 0;
    await this.#running[victim].kill();
    this.kills += 1;
    // Its process is gone for certain, so nobody has to wait until its Lease runs out.
    if (which === 'leader') await this.#world.client.delete(LEASES, this.#namespace, LEASE);
  }

  /** SIGTERM; answers the exit codes. */
  stop(): Promise<(number | null)[]> {
    this.#isStopping = true;
    return Promise.all(this.#running.map((each) => each.stop()));
  }

  #start(at: 0 | 1): ControllerProcess {
    const place = ['--namespaces', this.#namespace, '--controller-namespace', this.#namespace];
    const election = ['--leader-elect', '--leader-elect-namespace', this.#namespace];
    const log = ['--audit-log', this.files[at], '--allow-loopback-authorities'];
    const started = this.#world.launch([...place, ...election, ...log]);
    void this.#replace(at, started);
    return started;
  }

  async #replace(at: 0 | 1, { exited, errors }: ControllerProcess): Promise<void> {
    const { code } = await exited;
    if (this.#isStopping) return;
    // A leader that could not renew its Lease in time ends by itself.
    if (code !== null) console.log(`a replica ended with ${code}: ${errors.join('; ')}`);
    this.#running[at] = this.#start(at);
  }
}
