import * as vscode from 'vscode';
import { orderFor, type Wish } from '../../../app/order';
import type { Pixels } from '../../../app/pixels';
import type { EgressMode } from '../../../egress';
import type { SandboxName } from '../../../sandbox/name';
import { readProvisionRecord } from '../../../sandbox/provisioning';
import type { Limits } from '../../../sandbox/sandbox';
import { runAction } from '../../action';
import type { Face } from '../../face';
import { commandId } from '../../ids';
import { editorServer } from '../../remote/editorServer';
import { openWhenComplete } from './openWhenComplete';

/**
 * Makes a sandbox with progress; then shows its row, and offers what one does next. Its recipe goes on in the background, and so
 * does the build of a base that would have spared it. Of a linked clone it says what that means.
 * @param mode what it may reach, where that is not what is usual for what it is made of.
 */
export async function makeSandbox(
  face: Face,
  name: SandboxName,
  wish: Wish,
  limits: Limits,
  mode?: EgressMode,
): Promise<void> {
  const title = vscode.l10n.t('Creating {0}', name);
  const outcome = await runAction(face, { title, rows: [name] }, async (pixels, run) => {
    const { host, lifecycle, config } = pixels;
    const { enabled: provision, editorServer: withServer } = config.provision;
    const { source, recipe, baseToBuild } = await orderFor(pixels, wish, provision, run.signal);
    const isLinked = 'from' in source && (await host.info(run.signal)).copiesAreLinked;
    const editor = provision && withServer ? await editorServer() : undefined;
    const egress = mode && (await pixels.egress.policyOf(host, mode));
    await lifecycle.create({ name, source, limits, provision, recipe, editor, egress }, run);
    const linkedTo = isLinked ? source.from.name : undefined;
    // What is cloned from a base is complete: the editor's server only makes its first window open faster.
    const isComplete = wish.base !== undefined && recipe === undefined;
    return { linkedTo, baseToBuild, isInstalling: !isComplete && (await isStillInstalling(pixels, name)) };
  });
  if (outcome.kind !== 'ok') return;
  const { linkedTo, baseToBuild, isInstalling } = outcome.value;
  if (baseToBuild !== undefined) face.builds.inBackground(baseToBuild);
  const node = face.tree.node(name);
  if (face.view.visible) void face.view.reveal(node, { select: true }).then(undefined, () => undefined);
  const open = vscode.l10n.t('Open in New Window');
  const later = vscode.l10n.t('Open When Complete');
  const console = vscode.l10n.t('Open Console');
  const buttons = [open, ...(isInstalling ? [later] : []), console];
  const chosen =
    linkedTo === undefined
      ? await vscode.window.showInformationMessage(readyWords(name, isInstalling), ...buttons)
      : await vscode.window.showWarningMessage(linkedClone(name, linkedTo), ...buttons);
  if (chosen === open) await vscode.commands.executeCommand(commandId('openInNewWindow'), node);
  if (chosen === later) await openWhenComplete(face, name);
  if (chosen === console) await vscode.commands.executeCommand(commandId('openConsole'), node);
}

function readyWords(name: SandboxName, isInstalling: boolean): string {
  return isInstalling
    ? vscode.l10n.t('{0} is ready. Installing its recipe goes on in the background.', name)
    : vscode.l10n.t('{0} is ready.', name);
}

function linkedClone(name: SandboxName, source: SandboxName): string {
  return vscode.l10n.t(
    '{0} is ready. It is a linked clone: neither {1} nor the checkpoint that it comes from can be removed before it, and {1} cannot go back to an older one.',
    name,
    source,
  );
}

/** A copy of a complete sandbox is complete, but nobody has looked yet. Where that cannot be said, somebody looks later. */
async function isStillInstalling({ host, lifecycle }: Pixels, name: SandboxName): Promise<boolean> {
  try {
    const { state } = await host.get(name);
    if (readProvisionRecord(state.provision)?.outcome !== 'running') return false;
    const progress = await lifecycle.provisioner.look(name);
    return progress?.outcome === 'running' || progress?.outcome === 'waiting';
  } catch {
    return false;
  }
}
