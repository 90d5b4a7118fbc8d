import { toPixelsError } from '../../sandbox/errors';
import { showError } from '../errorMessage';
import type { Face } from '../face';
import type { CommandName } from '../ids';
import type { Node } from '../tree/node';
import { allowDomain } from './allowDomain';
import { denyDomain } from './denyDomain';
import { allowForOneHour, allowRefused, ignoreRefusal } from './egress/refusalCommands';
import { buildBase } from './buildBase';
import { cancelBaseBuild } from './cancelBaseBuild';
import { checkSetup } from './checkSetup';
import { chooseEgressGroups } from './chooseEgressGroups';
import { cloneSandbox } from './clone';
import { connectTrueNas } from './connectTrueNas';
import { copySshCommand } from './copySshCommand';
import { createCheckpoint } from './createCheckpoint';
import { createSandbox } from './createSandbox';
import { deleteBase } from './deleteBase';
import { deleteCheckpoint } from './deleteCheckpoint';
import { destroySandboxes } from './destroy';
import { finishInterruptedAction } from './finishInterruptedAction';
import { installRecipe } from './installRecipe';
import { newSandboxFromCheckpoint } from './newSandboxFromCheckpoint';
import { openConfigFile } from './openConfigFile';
import { openConsole } from './openConsole';
import { openInNewWindow, openInThisWindow } from './openWindow';
import { openSettings } from './openSettings';
import { rebuildBase } from './rebuildBase';
import { refresh } from './refresh';
import { removeDomain } from './removeDomain';
import { removeSshIntegration } from './removeSshIntegration';
import { restartSandbox } from './restart';
import { restoreCheckpoint } from './restoreCheckpoint';
import { retry } from './retry';
import { retryProvisioning } from './retryProvisioning';
import { runCommand } from './runCommand';
import { setEgressMode } from './setEgressMode';
import { setSecret } from './setSecret';
import { showLog } from './showLog';
import { showProvisioningLog } from './showProvisioningLog';
import { startSandboxes } from './start';
import { stopSandboxes } from './stop';
import { switchGroupOff, switchGroupOn } from './switchGroup';

/** A row's command gets the row, and all selected rows; from the palette it gets neither and asks. */
export type Command = (face: Face, node?: Node, selected?: readonly Node[]) => Promise<void>;

const COMMANDS: Readonly<Record<CommandName, Command>> = {
  createSandbox,
  start: startSandboxes,
  stop: stopSandboxes,
  restart: restartSandbox,
  destroy: destroySandboxes,
  clone: cloneSandbox,
  createCheckpoint,
  restoreCheckpoint,
  deleteCheckpoint,
  newSandboxFromCheckpoint,
  openInNewWindow,
  openInThisWindow,
  openConsole,
  runCommand,
  copySshCommand,
  finishInterruptedAction,
  installRecipe,
  retryProvisioning,
  showProvisioningLog,
  buildBase,
  rebuildBase,
  cancelBaseBuild,
  deleteBase,
  refresh,
  retry,
  showLog,
  openSettings,
  openConfigFile,
  removeSshIntegration,
  connectTrueNas,
  setEgressMode,
  allowDomain,
  denyDomain,
  removeDomain,
  allowForOneHour,
  allowRefused,
  ignoreRefusal,
  chooseEgressGroups,
  switchGroupOn,
  switchGroupOff,
  setSecret,
  checkSetup,
};

/** Runs a command; what goes wrong is told to the person. */
export async function dispatch(face: Face, name: CommandName, node: unknown, selected: unknown): Promise<void> {
  try {
    await COMMANDS[name](face, asNode(node), asNodes(selected));
  } catch (thrown) {
    const error = toPixelsError(thrown);
    if (error.kind !== 'cancelled') await showError(face, error);
  }
}

const KINDS: Readonly<Record<Node['kind'], true>> = {
  sandbox: true,
  recipe: true,
  egress: true,
  refused: true,
  refusal: true,
  group: true,
  domain: true,
  checkpoint: true,
  bases: true,
  base: true,
  trouble: true,
};

function asNodes(selected: unknown): readonly Node[] | undefined {
  return Array.isArray(selected) ? selected.map(asNode).filter((node) => node !== undefined) : undefined;
}

/** The editor calls a command with whatever its caller has: a row, a title bar's context, a key binding's arguments. */
function asNode(argument: unknown): Node | undefined {
  const kind = (argument as Partial<Node> | null | undefined)?.kind;
  return kind !== undefined && kind in KINDS ? (argument as Node) : undefined;
}
