import * as vscode from 'vscode';
import type { Node } from './tree/node';

/** The tree before its code is there: that is loaded when the editor asks for the first rows. */
export class LazyTree implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  /** @param tree loads it at the first call; the same one each time. */
  constructor(private readonly tree: () => Promise<vscode.TreeDataProvider<Node>>) {}

  /** Says that rows have to be drawn again. */
  fire(node: Node | undefined): void {
    this.changed.fire(node);
  }

  async getChildren(parent?: Node): Promise<Node[]> {
    return (await (await this.tree()).getChildren(parent)) ?? [];
  }

  async getParent(node: Node): Promise<Node | undefined> {
    return (await (await this.tree()).getParent?.(node)) ?? undefined;
  }

  async getTreeItem(node: Node): Promise<vscode.TreeItem> {
    return (await this.tree()).getTreeItem(node);
  }

  async resolveTreeItem(item: vscode.TreeItem, node: Node, token: vscode.CancellationToken): Promise<vscode.TreeItem> {
    return (await (await this.tree()).resolveTreeItem?.(item, node, token)) ?? item;
  }
}
