/** A line `name=value` of an answer. Throws where there is none. */
export function field(body: string, name: string): string {
  const value = new RegExp(`^${name}=(.*)$`, 'm').exec(body)?.[1];
  if (value === undefined) throw new Error(`no line ${name}= in ${JSON.stringify(body)}`);
  return value;
}
