import * as vscode from 'vscode';
import { WELCOME_CONTEXT, type Welcome } from '../ids';

/** What the view says beside its rows. */
export class ViewWords {
  /** Undefined until there is one. */
  view: Pick<vscode.TreeView<unknown>, 'message' | 'badge'> | undefined;
  private welcome: Welcome = 'none';

  /** The text instead of rows, and the one above them. The editor shows no welcome under a message. */
  explain(welcome: Welcome, message: string): void {
    if (this.view !== undefined && (this.view.message ?? '') !== message) this.view.message = message;
    if (welcome === this.welcome) return;
    this.welcome = welcome;
    void vscode.commands.executeCommand('setContext', WELCOME_CONTEXT, welcome);
  }

  /** How many refusals nobody has looked at, as a badge. It stays while the view cannot be seen. */
  count(fresh: number): void {
    if (this.view === undefined) return;
    const tooltip = fresh === 1 ? vscode.l10n.t('1 new refusal') : vscode.l10n.t('{0} new refusals', fresh);
    this.view.badge = fresh === 0 ? undefined : { value: fresh, tooltip };
  }
}
