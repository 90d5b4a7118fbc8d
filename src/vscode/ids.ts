/**
 * Every identifier that package.json declares and code uses. test/unit/vscode/contributions.test.ts keeps the two equal.
 */

/** Commands without their prefix `pixels.`; src/vscode/commands/ has a file for each. */
export const COMMANDS = [
  'createSandbox',
  'start',
  'stop',
  'restart',
  'destroy',
  'clone',
  'createCheckpoint',
  'restoreCheckpoint',
  'deleteCheckpoint',
  'newSandboxFromCheckpoint',
  'openInNewWindow',
  'openInThisWindow',
  'openConsole',
  'runCommand',
  'copySshCommand',
  'finishInterruptedAction',
  'installRecipe',
  'retryProvisioning',
  'showProvisioningLog',
  'buildBase',
  'rebuildBase',
  'cancelBaseBuild',
  'deleteBase',
  'refresh',
  'retry',
  'showLog',
  'openSettings',
  'openConfigFile',
  'removeSshIntegration',
  'connectTrueNas',
  'setEgressMode',
  'allowDomain',
  'denyDomain',
  'removeDomain',
  'allowForOneHour',
  'allowRefused',
  'ignoreRefusal',
  'chooseEgressGroups',
  'switchGroupOn',
  'switchGroupOff',
  'setSecret',
  'checkSetup',
] as const;

export type CommandName = (typeof COMMANDS)[number];

/** The full identifier of a command. */
export function commandId(name: CommandName): string {
  return `pixels.${name}`;
}

export const SANDBOXES_VIEW = 'pixels.sandboxes';

/** Terminal profile that opens a sandbox's console. */
export const CONSOLE_PROFILE = 'pixels.console';

/** Scheme of the documents that show what the steps of a recipe print. */
export const PROVISIONING_LOG_SCHEME = 'pixels-provisioning';

/** Which welcome text the empty view shows: {@link Welcome}. */
export const WELCOME_CONTEXT = 'pixels.welcome';
export type Welcome = 'none' | 'empty' | 'unconfigured';

export const SETTINGS_SECTION = 'pixels';
