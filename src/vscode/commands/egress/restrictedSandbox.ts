import * as vscode from 'vscode';
import type { EgressMode, Policy, Preset } from '../../../egress';
import type { SandboxName } from '../../../sandbox/name';
import type { Face } from '../../face';
import { commandId } from '../../ids';
import { oneSandbox } from '../../targets';
import type { Node } from '../../tree/node';

/** A sandbox that may not reach everything. */
export interface Restricted {
  readonly name: SandboxName;
  readonly policy: Policy;
  readonly preset: Preset;
}

/**
 * The sandbox of the row, or the one that a person picks. Undefined when they pick none; and where it has no such mode, which is said
 * with a button to set one.
 * @throws PixelsError `protocol` when its policy cannot be read, `config`; and as {@link oneSandbox}.
 */
export async function restrictedSandbox(
  face: Face,
  node: Node | undefined,
  title: string,
  modes: readonly EgressMode[] = ['agent', 'allowlist'],
): Promise<Restricted | undefined> {
  const sandbox = await oneSandbox(face, node, {
    title,
    suits: ({ state }) => state.egress !== undefined,
    none: vscode.l10n.t('All sandboxes may reach everything. Set an egress mode first.'),
  });
  if (sandbox === undefined) return undefined;
  const { name, state } = sandbox;
  const { readPolicy } = await import('../../../egress');
  const policy = state.egress === undefined ? undefined : readPolicy(state.egress);
  if (policy !== undefined && modes.includes(policy.mode)) {
    return { name, policy, preset: await face.current.use(({ egress }) => egress.preset()) };
  }
  const text =
    policy?.mode === 'allowlist'
      ? vscode.l10n.t('Groups count in the mode "agent" only; that of {0} is "allowlist".', name)
      : vscode.l10n.t('{0} may reach everything.', name);
  const setMode = vscode.l10n.t('Set Egress Mode…');
  if ((await vscode.window.showInformationMessage(text, setMode)) === setMode) {
    await vscode.commands.executeCommand(commandId('setEgressMode'), face.tree.node(name));
  }
  return undefined;
}
