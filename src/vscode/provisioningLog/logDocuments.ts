import * as vscode from 'vscode';
import { parseName, type SandboxName } from '../../sandbox/name';
import type { CurrentPixels } from '../currentPixels';
import { DisposableStore } from '../disposableStore';
import { PROVISIONING_LOG_SCHEME } from '../ids';
import { FollowedLog } from './followedLog';
import { scrollAlong } from './scrollAlong';

/** The editor colours what ends in `.log`. */
const ENDING = '.provisioning.log';

/** Read-only documents with what the steps of recipes print. Each is followed while it can be seen, and only then. */
export class LogDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly logs = new Map<string, FollowedLog>();
  /** Those that can be seen. */
  private visible = new Set<string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly store = new DisposableStore();
  readonly onDidChange = this.changed.event;

  constructor(private readonly current: CurrentPixels) {
    this.store.add(this.changed);
    this.store.add(vscode.workspace.registerTextDocumentContentProvider(PROVISIONING_LOG_SCHEME, this));
    this.store.add(vscode.window.onDidChangeVisibleTextEditors(() => this.followVisible()));
    this.store.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)));
    this.store.add(scrollAlong(PROVISIONING_LOG_SCHEME));
  }

  /** Shows the log of a sandbox; begins to follow it again where that has ended. */
  async show(name: SandboxName): Promise<void> {
    const uri = vscode.Uri.from({ scheme: PROVISIONING_LOG_SCHEME, path: `/${name}${ENDING}` });
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
    this.logs.get(uri.toString())?.follow();
  }

  /** Also asked for a document that a person opens again after having closed it. */
  provideTextDocumentContent(uri: vscode.Uri): string {
    return (this.logs.get(uri.toString()) ?? this.add(uri)).text;
  }

  dispose(): void {
    for (const log of this.logs.values()) log.pause();
    this.store.dispose();
  }

  private add(uri: vscode.Uri): FollowedLog {
    const name = parseName(uri.path.slice(1, -ENDING.length));
    const log = new FollowedLog(name, {
      lend: (work) => this.current.use(({ host }) => work(host)),
      onDidChange: () => this.changed.fire(uri),
      endWords: () => vscode.l10n.t('{0} was stopped. Show the log again to go on.', name),
    });
    this.logs.set(uri.toString(), log);
    return log;
  }

  private followVisible(): void {
    const before = this.visible;
    this.visible = new Set(vscode.window.visibleTextEditors.map(({ document }) => document.uri.toString()));
    for (const [key, log] of this.logs) {
      if (!this.visible.has(key)) log.pause();
      else if (!before.has(key)) log.follow();
    }
  }

  private forget(uri: vscode.Uri): void {
    const key = uri.toString();
    this.logs.get(key)?.pause();
    this.logs.delete(key);
  }
}
