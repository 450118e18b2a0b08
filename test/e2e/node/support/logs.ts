import type { Node } from '../../../cluster/node/node.ts';

export interface Printed {
  readonly pod: string;
  readonly line: string;
}

/** What the client in Node.js of examples/workloads says. */
export interface Said {
  readonly pod: string;
  readonly at: Date;
  /** Serial number of the certificate that it uses from now on. */
  readonly loaded?: string;
  /** Serial number of the server's certificate, whenever it changes. */
  readonly server?: string;
  readonly error?: string;
  readonly succeeded?: number;
  readonly failed?: number;
}

/** All that the pods of an app have printed. */
export async function printed(node: Node, app: string): Promise<Printed[]> {
  const options = ['--prefix', '--tail=-1', '--max-log-requests=50'];
  const { stdout } = await node.cluster.kubectl(['logs', '--namespace=shop', `--selector=app=${app}`, ...options]);
  return stdout.split('\n').flatMap((text) => {
    const [, pod, line] = /^\[pod\/([^/]+)\/\S+\] (.*)$/.exec(text) ?? [];
    return pod === undefined || line === undefined ? [] : [{ pod, line }];
  });
}

export async function saidByOrders(node: Node): Promise<Said[]> {
  return (await printed(node, 'orders')).map(({ pod, line }) => {
    const said = JSON.parse(line);
    return { ...said, pod, at: new Date(said.at) };
  });
}

/** How many requests of the client in Node.js went well and wrong, over all of its pods. */
export function totals(said: readonly Said[]): { succeeded: number; failed: number; errors: string[] } {
  const last = new Map(said.filter(({ succeeded }) => succeeded !== undefined).map((each) => [each.pod, each]));
  const sum = (field: 'succeeded' | 'failed') =>
    [...last.values()].reduce((total, each) => total + (each[field] ?? 0), 0);
  const errors = said.flatMap(({ error }) => (error === undefined ? [] : [error]));
  return { succeeded: sum('succeeded'), failed: sum('failed'), errors };
}

/** The same of the client in shell. */
export function totalsOfReports(lines: readonly Printed[]): { succeeded: number; failed: number; errors: string[] } {
  const counts = lines.map(({ line }) => /^succeeded: (\d+) failed: (\d+)$/.exec(line)).findLast(Boolean);
  const errors = lines.flatMap(({ line }) => (line.startsWith('error: ') ? [line] : []));
  return { succeeded: Number(counts?.[1] ?? 0), failed: Number(counts?.[2] ?? 0), errors };
}

export interface Served {
  readonly status: string;
  readonly verified: string;
  readonly serial: string;
  readonly subject: string;
}

/** What nginx has written down of each request. */
export function served(lines: readonly Printed[]): Served[] {
  return lines.flatMap(({ line }) => {
    const [, status, verified, serial, subject] = /^(\d{3}) (\S+) (\S+) "(.*)"$/.exec(line) ?? [];
    return status && verified && serial && subject !== undefined ? [{ status, verified, serial, subject }] : [];
  });
}
