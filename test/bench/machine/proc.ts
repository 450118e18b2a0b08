/** What Linux says of processors and processes, in ticks of the clock (proc_pid_stat(5), proc_stat(5)). Pure. */

/** Since the machine started, over all processors. */
export interface ProcessorTicks {
  readonly all: number;
  /** Programs and the kernel on their behalf; interrupts belong to no program and don't count. */
  readonly worked: number;
  readonly stolen: number;
}

export interface ProcessTicks {
  readonly parent: number;
  /** Of the process alone. */
  readonly own: number;
  /** With its children that have ended. */
  readonly family: number;
}

/** Of /proc/stat. */
export function parseProcessorTicks(stat: string): ProcessorTicks {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? [];
  // Of what follows, the time of guests is part of the first two already.
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = fields;
  const all = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { all, worked: user + nice + system, stolen };
}

/** Of /proc/PID/stat. */
export function parseProcessTicks(stat: string): ProcessTicks {
  // The second field is the name of the program, which may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3] ?? 0);
  const own = at(14) + at(15);
  return { parent: at(4), own, family: own + at(16) + at(17) };
}

/** What a process and all its descendants have worked, those that have ended too. */
export function familyTicks(root: number, processes: ReadonlyMap<number, ProcessTicks>): number {
  const children = Map.groupBy(processes.keys(), (pid) => processes.get(pid)?.parent ?? 0);
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((so, child) => so + sum(child), processes.get(pid)?.family ?? 0);
  return sum(root);
}
