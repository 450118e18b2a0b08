/** Whether an object of the API has the condition Ready. */
export function isReady(object: unknown): boolean {
  const { conditions = [] } = (object as { status?: { conditions?: { type: string; status: string }[] } }).status ?? {};
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
