import * as vscode from 'vscode';

/** The Remote-SSH of each editor, under the name that it has there. */
const KNOWN = [
  'ms-vscode-remote.remote-ssh',
  'anysphere.remote-ssh',
  'anysphere.open-remote-ssh',
  'codeium.windsurf-remote-openssh',
  'google.antigravity-remote-openssh',
  'jeanp413.open-remote-ssh',
];

interface Manifest {
  readonly activationEvents?: readonly string[];
  readonly enabledApiProposals?: readonly string[];
}

/** Whether some extension here can open windows on SSH hosts: a known one, or one that says of itself that it does. */
export function canOpenSshWindows(): boolean {
  if (KNOWN.some((id) => vscode.extensions.getExtension(id) !== undefined)) return true;
  return vscode.extensions.all.some(({ packageJSON }) => {
    const { activationEvents = [], enabledApiProposals = [] } = packageJSON as Manifest;
    // A proposal may name its version: `resolvers@3`.
    const resolves = enabledApiProposals.some((proposal) => /^resolvers(@|$)/.test(proposal));
    return resolves && activationEvents.includes('onResolveRemoteAuthority:ssh-remote');
  });
}

/** The Remote-SSH to be offered: Microsoft's runs only in its own editor, the open one in all others. */
export function resolverToInstall(): string {
  const isMicrosofts = /^Visual Studio Code/.test(vscode.env.appName);
  return isMicrosofts ? 'ms-vscode-remote.remote-ssh' : 'jeanp413.open-remote-ssh';
}

/** Lets views of SSH hosts know of new ones, where there are such views. */
export async function refreshHostLists(): Promise<void> {
  const known = new Set(await vscode.commands.getCommands(true));
  const refreshes = ['remote-explorer.refresh', 'openremotessh.explorer.refresh', 'opensshremotes.explorer.refresh'];
  for (const id of refreshes.filter((command) => known.has(command))) {
    await vscode.commands.executeCommand(id).then(undefined, () => undefined);
  }
}
