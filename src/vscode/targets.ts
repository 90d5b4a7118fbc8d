import * as vscode from 'vscode';
import { sandboxesIn } from '../sandbox/base';
import type { Checkpoint, Sandbox } from '../sandbox/sandbox';
import type { SandboxName } from '../sandbox/name';
import type { Face } from './face';
import { commandId } from './ids';
import { askChoice, type Choice } from './input';
import { checkpointRow } from './tree/checkpointRow';
import type { Node } from './tree/node';
import { STATUS, rowStatus, statusWords } from './tree/status';

/** Which sandboxes a command is for, and how it asks when it was not called on a row. */
export interface TargetQuestion {
  /** The command's title. */
  readonly title: string;
  /** Those it can be done to; all when left out. */
  readonly suits?: (sandbox: Sandbox) => boolean;
  /** Said when there are sandboxes, but none that suits. */
  readonly none?: string;
}

/**
 * The sandbox of the row, or the one that a person picks. Undefined when they pick none, or there is none.
 * @throws PixelsError as {@link SandboxHost.get} and {@link SandboxHost.list}.
 */
export async function oneSandbox(
  face: Face,
  node: Node | undefined,
  question: TargetQuestion,
): Promise<Sandbox | undefined> {
  const name = nameOf(node);
  if (name !== undefined) return face.current.use((pixels) => pixels.host.get(name));
  const suitable = await suitableSandboxes(face, question);
  if (suitable === undefined) return undefined;
  const answer = await askChoice<Sandbox>({
    title: question.title,
    placeholder: vscode.l10n.t('Which sandbox?'),
    choices: Promise.resolve(suitable.map(sandboxChoice)),
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

/** As {@link oneSandbox} for commands that take several: all selected rows, or a list with check boxes. */
export async function severalSandboxes(
  face: Face,
  node: Node | undefined,
  selected: readonly Node[] | undefined,
  question: TargetQuestion,
): Promise<readonly Sandbox[]> {
  const rows = selected !== undefined && selected.length > 1 ? selected : node === undefined ? [] : [node];
  const names = new Set(rows.map(nameOf).filter((name) => name !== undefined));
  if (names.size > 0) {
    const all = await face.current.use(async (pixels) => sandboxesIn(await pixels.host.list()));
    return all.filter(({ name }) => names.has(name));
  }
  const suitable = await suitableSandboxes(face, question);
  if (suitable === undefined) return [];
  const picked = await vscode.window.showQuickPick(suitable.map(sandboxChoice), {
    title: question.title,
    placeHolder: vscode.l10n.t('Which sandboxes?'),
    canPickMany: true,
  });
  return (picked ?? []).map(({ value }) => value);
}

/** The checkpoint of the row, or the one that a person picks (after the sandbox). */
export async function oneCheckpoint(
  face: Face,
  node: Node | undefined,
  title: string,
): Promise<{ sandbox: Sandbox; checkpoint: Checkpoint } | undefined> {
  const sandbox = await oneSandbox(face, node, {
    title,
    suits: ({ checkpointCount }) => checkpointCount > 0,
    none: vscode.l10n.t('No sandbox has a checkpoint yet.'),
  });
  if (sandbox === undefined) return undefined;
  const newestFirst = face.current
    .use((pixels) => pixels.host.checkpoints(sandbox.name))
    .then((checkpoints) => [...checkpoints].reverse());
  if (node?.kind === 'checkpoint') {
    const checkpoint = (await newestFirst).find(({ label }) => label === node.label);
    if (checkpoint !== undefined) return { sandbox, checkpoint };
  }
  const answer = await askChoice<Checkpoint>({
    title,
    placeholder: vscode.l10n.t('Which checkpoint of {0}?', sandbox.name),
    choices: newestFirst.then((checkpoints) => checkpoints.map(checkpointChoice)),
  });
  return answer.kind === 'answer' ? { sandbox, checkpoint: answer.value } : undefined;
}

/** A line of a quick pick for a sandbox. */
export function sandboxChoice(sandbox: Sandbox): Choice<Sandbox> & { readonly value: Sandbox } {
  const { icon } = STATUS[rowStatus(sandbox)];
  return {
    label: sandbox.name,
    description: statusWords(sandbox),
    iconPath: new vscode.ThemeIcon(icon.id),
    value: sandbox,
  };
}

/** A line of a quick pick for a checkpoint. */
export function checkpointChoice(checkpoint: Checkpoint): Choice<Checkpoint> {
  const { label, description, icon } = checkpointRow(checkpoint, {});
  return { label, description, iconPath: new vscode.ThemeIcon(icon.id), value: checkpoint };
}

async function suitableSandboxes(face: Face, { suits, none }: TargetQuestion): Promise<readonly Sandbox[] | undefined> {
  const all = await face.current.use(async (pixels) => sandboxesIn(await pixels.host.list()));
  const suitable = all.filter((sandbox) => suits?.(sandbox) ?? true);
  if (suitable.length > 0) return suitable;
  if (all.length > 0) {
    void vscode.window.showInformationMessage(none ?? vscode.l10n.t('There is no sandbox for that.'));
    return undefined;
  }
  const create = vscode.l10n.t('Create Sandbox');
  const chosen = await vscode.window.showInformationMessage(vscode.l10n.t('There are no sandboxes yet.'), create);
  if (chosen === create) void vscode.commands.executeCommand(commandId('createSandbox'));
  return undefined;
}

function nameOf(node: Node | undefined): SandboxName | undefined {
  if (node === undefined) return undefined;
  switch (node.kind) {
    case 'sandbox':
      return node.name;
    case 'recipe':
    case 'checkpoint':
    case 'egress':
    case 'refused':
    case 'refusal':
    case 'group':
    case 'domain':
      return node.sandbox;
    case 'bases':
    case 'base':
    case 'trouble':
      return undefined;
  }
}
