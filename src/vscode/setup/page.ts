import * as vscode from 'vscode';

const SCHEME = 'pixels-setup';

/** A page of Markdown that a person reads, and that is no file. Shown again, it has the new text in the same tab. */
export class Page implements vscode.Disposable {
  private readonly uri: vscode.Uri;
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  private text = '';

  /** @param name of the tab. */
  constructor(name: string) {
    this.uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md` });
    const provider = { onDidChange: this.changed.event, provideTextDocumentContent: () => this.text };
    this.registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider);
  }

  /** Rendered, where the editor's own extension for Markdown is there; otherwise as it is. */
  async show(text: string): Promise<void> {
    this.text = text;
    this.changed.fire(this.uri);
    try {
      await vscode.commands.executeCommand('markdown.showPreview', this.uri);
    } catch {
      await vscode.window.showTextDocument(this.uri);
    }
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
