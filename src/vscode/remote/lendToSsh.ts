/** What these variables were before, to be put back. */
const before = new Map<string, string | undefined>();

/**
 * Puts values into the environment of this extension host, from which an ssh of Remote-SSH inherits it, and takes back those
 * that were lent earlier. To be done only in a window on a sandbox: extensions on this side see the values too.
 */
export function lendToSsh(values: Readonly<Record<string, string>>): void {
  for (const [name, own] of before) {
    if (name in values) continue;
    before.delete(name);
    if (own === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = own;
  }
  for (const [name, value] of Object.entries(values)) {
    if (!before.has(name)) before.set(name, process.env[name]);
    process.env[name] = value;
  }
}
