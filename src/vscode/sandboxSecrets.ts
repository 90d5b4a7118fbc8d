import type * as vscode from 'vscode';

/** All of them are one entry: the storage cannot list its entries. */
const ENTRY = 'sandboxes.secrets';

/** Values that consoles, commands and windows in sandboxes get in their environment, by the names of the variables. */
export type SandboxSecrets = Readonly<Record<string, string>>;

/** The secrets that were kept; none where the entry is missing or no such thing. */
export async function sandboxSecrets(storage: vscode.SecretStorage): Promise<SandboxSecrets> {
  try {
    const kept: unknown = JSON.parse((await storage.get(ENTRY)) ?? '{}');
    const entries = Object.entries(typeof kept === 'object' && kept !== null ? kept : {});
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

/** Keeps a secret, or, without a value, forgets it. */
export async function keepSandboxSecret(
  storage: vscode.SecretStorage,
  name: string,
  value: string | undefined,
): Promise<void> {
  const others = Object.entries(await sandboxSecrets(storage)).filter(([kept]) => kept !== name);
  const all = value === undefined ? others : [...others, [name, value]];
  if (all.length === 0) await storage.delete(ENTRY);
  else await storage.store(ENTRY, JSON.stringify(Object.fromEntries(all)));
}
