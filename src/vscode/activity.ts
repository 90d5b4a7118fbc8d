import * as vscode from 'vscode';
import type { Progress } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';

/** What this window is doing to sandboxes now, for the rows of the tree. */
export class Activity implements vscode.Disposable {
  private readonly underWay = new Map<SandboxName, string>();
  private readonly changed = new vscode.EventEmitter<SandboxName>();
  readonly onDidChange = this.changed.event;

  /** The names of all sandboxes that something is being done to, also those that do not exist yet. */
  get names(): readonly SandboxName[] {
    return [...this.underWay.keys()];
  }

  /** "Starting web", or undefined. */
  of(name: SandboxName): string | undefined {
    return this.underWay.get(name);
  }

  /** The first word is said before the action reports any of its own. */
  begin(name: SandboxName, title: string): { report(progress: Progress): void; end(): void } {
    this.set(name, title);
    return {
      report: ({ message, fraction }) => {
        this.set(name, fraction === undefined ? message : `${Math.round(fraction * 100)} % · ${message}`);
      },
      end: () => {
        if (this.underWay.delete(name)) this.changed.fire(name);
      },
    };
  }

  dispose(): void {
    this.changed.dispose();
  }

  private set(name: SandboxName, message: string): void {
    if (this.underWay.get(name) === message) return;
    this.underWay.set(name, message);
    this.changed.fire(name);
  }
}
