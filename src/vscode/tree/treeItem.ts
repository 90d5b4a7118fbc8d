import * as vscode from 'vscode';
import type { Row } from './row';

const STATES = {
  no: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
};

/** A row as the editor takes it. Its tooltip is made when somebody points at it. */
export function treeItem(id: string, row: Row): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, STATES[row.expandable]);
  item.id = id;
  item.description = row.description;
  item.contextValue = row.tags.join(';');
  item.iconPath = new vscode.ThemeIcon(row.icon.id, row.icon.color ? new vscode.ThemeColor(row.icon.color) : undefined);
  if (row.spoken !== undefined) item.accessibilityInformation = { label: row.spoken };
  return item;
}
