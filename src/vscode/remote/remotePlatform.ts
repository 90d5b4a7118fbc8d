import * as vscode from 'vscode';

const HOSTS = '*.pixels';

/** Spares a person the question which system each sandbox runs: one entry for all of them, set once. */
export async function setRemotePlatform(): Promise<void> {
  const platforms = current();
  if (platforms === undefined || platforms[HOSTS] !== undefined) return;
  await write({ ...platforms, [HOSTS]: 'linux' });
}

/** Takes the entry out again. */
export async function removeRemotePlatform(): Promise<void> {
  const platforms = current();
  if (platforms?.[HOSTS] === undefined) return;
  const others = Object.entries(platforms).filter(([hosts]) => hosts !== HOSTS);
  await write(others.length > 0 ? Object.fromEntries(others) : undefined);
}

/** Undefined where no extension has the setting: writing it would be an error. */
function current(): Record<string, string> | undefined {
  const setting = vscode.workspace.getConfiguration('remote.SSH').inspect<Record<string, string>>('remotePlatform');
  if (setting?.defaultValue === undefined && setting?.globalValue === undefined) return undefined;
  return { ...setting.globalValue };
}

async function write(platforms: Record<string, string> | undefined): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('remote.SSH');
  await configuration.update('remotePlatform', platforms, vscode.ConfigurationTarget.Global);
}
