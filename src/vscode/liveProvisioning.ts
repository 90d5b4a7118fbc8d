import * as vscode from 'vscode';
import type { Log } from '../sandbox/log';
import type { SandboxName } from '../sandbox/name';
import { ProvisionFollower } from '../sandbox/provisionFollower';
import type { ProvisionProgress } from '../sandbox/provisioning';
import type { CurrentPixels } from './currentPixels';

/**
 * How far the recipes of the Pixels in use are, followed only while somebody holds it. It follows a change of configuration by
 * itself. Whoever holds this holds the live inventory, too: that says which sandboxes there are to follow.
 */
export class LiveProvisioning implements vscode.Disposable {
  private holders = 0;
  private follower: ProvisionFollower | undefined;
  private readonly changed = new vscode.EventEmitter<SandboxName>();
  private readonly replacement: vscode.Disposable;
  /** Something new is known about a sandbox's recipe. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly current: CurrentPixels,
    private readonly log: Log,
  ) {
    this.replacement = current.onDidChange(() => this.follow());
  }

  /** What a sandbox has said since this is held; undefined before it said anything. */
  of(name: SandboxName): ProvisionProgress | undefined {
    return this.follower?.of(name);
  }

  /** Follows until disposed of. */
  hold(): vscode.Disposable {
    if (this.holders++ === 0) this.follow();
    let held = true;
    return new vscode.Disposable(() => {
      if (!held) return;
      held = false;
      if (--this.holders === 0) this.end();
    });
  }

  dispose(): void {
    this.replacement.dispose();
    this.end();
    this.changed.dispose();
  }

  private follow(): void {
    this.end();
    const pixels = this.current.value;
    if (pixels === undefined || this.holders === 0) return;
    const { inventory, lifecycle } = pixels;
    this.follower = new ProvisionFollower(inventory, lifecycle.provisioner, this.log, (name) =>
      this.changed.fire(name),
    );
  }

  private end(): void {
    this.follower?.close();
    this.follower = undefined;
  }
}
