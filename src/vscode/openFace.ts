import path from 'node:path';
import * as vscode from 'vscode';
import { HiddenValues } from '../sandbox/hiddenValues';
import type { SandboxName } from '../sandbox/name';
import { Activity } from './activity';
import { BaseBuilds } from './baseBuilds';
import { CurrentPixels } from './currentPixels';
import { DisposableStore } from './disposableStore';
import { keptConfiguration, showError } from './errorMessage';
import type { Face } from './face';
import type { LazyTree } from './lazyTree';
import { LiveInventory } from './liveInventory';
import { LiveProvisioning } from './liveProvisioning';
import { LiveRefusals } from './liveRefusals';
import { PinOffer } from './pinOffer';
import type { LogDocuments } from './provisioningLog/logDocuments';
import { SshFiles } from './remote/sshFiles';
import { Page } from './setup/page';
import { SandboxTree } from './tree/sandboxTree';
import type { Node } from './tree/node';

/** What exists since activation. */
export interface Shell {
  readonly context: vscode.ExtensionContext;
  readonly rows: LazyTree;
  readonly view: vscode.TreeView<Node>;
}

/** Wires together all that is not needed before the view is seen or a command is run. Connects to nothing yet. */
export function openFace({ context, rows, view }: Shell): Face {
  const store = new DisposableStore();
  const channel = store.add(vscode.window.createOutputChannel('Pixels', { log: true }));
  const hidden = new HiddenValues();
  const log = { ...hidden.guard(channel), show: () => channel.show() };
  const dist = path.join(context.extensionPath, 'dist');
  const current = store.add(new CurrentPixels(log, hidden, context.secrets, dist));
  const live = store.add(new LiveInventory(current));
  const activity = store.add(new Activity());
  const builds = new BaseBuilds(current, activity, log);
  // What a build has begun is undone through what is in the store.
  context.subscriptions.push({ dispose: () => builds.end().finally(() => store.dispose()) });
  const provisioning = store.add(new LiveProvisioning(current, log));
  const refusals = store.add(new LiveRefusals(current, live, context.globalState, log));
  const tree = store.add(new SandboxTree(current, live, activity, provisioning, refusals));
  let logs: Promise<LogDocuments> | undefined;
  const showProvisioningLog = async (name: SandboxName): Promise<void> => {
    logs ??= import('./provisioningLog/logDocuments').then((room) => store.add(new room.LogDocuments(current)));
    await (await logs).show(name);
  };
  let page: Page | undefined;
  const setupPage = () => (page ??= store.add(new Page('Pixels Setup')));
  const face: Face = {
    current,
    activity,
    builds,
    live,
    refusals,
    tree,
    view,
    showProvisioningLog,
    log,
    secrets: context.secrets,
    setupPage,
    memory: context.globalState,
  };
  store.add(new SshFiles(face));
  store.add(current.onDidReject((error) => void showError(face, keptConfiguration(error))));
  const pinOffer = new PinOffer(face);
  store.add(current.onDidChange(({ config }) => void pinOffer.make(config)));
  store.add(tree.onDidChangeTreeData((node) => rows.fire(node)));
  tree.showIn(view);
  return face;
}
