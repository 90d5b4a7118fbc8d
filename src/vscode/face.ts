import type * as vscode from 'vscode';
import type { Log } from '../sandbox/log';
import type { SandboxName } from '../sandbox/name';
import type { Activity } from './activity';
import type { BaseBuilds } from './baseBuilds';
import type { CurrentPixels } from './currentPixels';
import type { Node } from './tree/node';
import type { LiveInventory } from './liveInventory';
import type { LiveRefusals } from './liveRefusals';
import type { Page } from './setup/page';
import type { SandboxTree } from './tree/sandboxTree';

/** What a command works with. Made once, in openFace.ts. */
export interface Face {
  readonly current: CurrentPixels;
  readonly activity: Activity;
  readonly builds: BaseBuilds;
  readonly live: LiveInventory;
  readonly refusals: LiveRefusals;
  readonly tree: SandboxTree;
  readonly view: vscode.TreeView<Node>;
  /** Opens what the steps of a sandbox's recipe print. */
  readonly showProvisioningLog: (name: SandboxName) => Promise<void>;
  /** The channel "Pixels". What is secret is taken out of every message. */
  readonly log: Log & Pick<vscode.LogOutputChannel, 'show'>;
  /** Where the API key of a TrueNAS and the secrets for sandboxes are. */
  readonly secrets: vscode.SecretStorage;
  /** Where the report of Check Setup is shown; the same page each time. */
  readonly setupPage: () => Page;
  /** What a person decided for good: see decisions.ts. */
  readonly memory: vscode.Memento;
}
