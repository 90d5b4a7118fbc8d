import * as vscode from 'vscode';
import type { Face } from './vscode/face';
import { commandId, COMMANDS, CONSOLE_PROFILE, SANDBOXES_VIEW, SETTINGS_SECTION } from './vscode/ids';
import { LazyTree } from './vscode/lazyTree';
import { sandboxOfAuthority } from './vscode/remote/authority';

let opening: Promise<Face> | undefined;

/**
 * Tells the editor what there is. Everything else is loaded when the view is first seen or a command is run: until then
 * nothing talks to a server or reads the configuration.
 */
export function activate(context: vscode.ExtensionContext): Promise<void> | undefined {
  const { subscriptions } = context;
  const rows = new LazyTree(async () => (await face()).tree);
  const options = { treeDataProvider: rows, canSelectMany: true, showCollapseAll: true };
  const view = vscode.window.createTreeView(SANDBOXES_VIEW, options);
  subscriptions.push(view);

  opening = undefined;
  const face = (): Promise<Face> =>
    (opening ??= import('./vscode/openFace').then((room) => room.openFace({ context, rows, view })));

  for (const name of COMMANDS) {
    const run = async (node: unknown, selected: unknown) => {
      const { dispatch } = await import('./vscode/commands');
      await dispatch(await face(), name, node, selected);
    };
    subscriptions.push(vscode.commands.registerCommand(commandId(name), run));
  }
  const provideTerminalProfile = async () => {
    const { provideConsoleProfile } = await import('./vscode/terminal/profile');
    return provideConsoleProfile(await face());
  };
  subscriptions.push(vscode.window.registerTerminalProfileProvider(CONSOLE_PROFILE, { provideTerminalProfile }));

  const setTerminals = async () => (await import('./vscode/terminal/path')).offerCommandInTerminals(context);
  const later = setTimeout(() => void setTerminals(), 1000);
  const onSettings = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(SETTINGS_SECTION)) void setTerminals();
  });
  subscriptions.push(onSettings, new vscode.Disposable(() => clearTimeout(later)));

  return beforeRemoteConnects(face, subscriptions);
}

/** The editor waits for this, some seconds at most. */
export async function deactivate(): Promise<void> {
  await (await opening)?.builds.end();
}

/** In a window on one of our hosts the sandbox is started before Remote-SSH connects, which waits for this. */
function beforeRemoteConnects(
  open: () => Promise<Face>,
  subscriptions: { dispose(): unknown }[],
): Promise<void> | undefined {
  const { workspaceFolders, workspaceFile } = vscode.workspace;
  const name = sandboxOfAuthority(workspaceFolders?.[0]?.uri.authority ?? workspaceFile?.authority);
  if (name === undefined) return undefined;
  const prepare = async () => {
    const face = await open();
    subscriptions.push(face.live.hold());
    const { beforeConnecting } = await import('./vscode/remote/beforeConnecting');
    await beforeConnecting(face, name);
  };
  return prepare();
}
