import fs from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { EditorServer } from '../../sandbox/guest';

/**
 * The server that this editor's remote windows need, from its product.json. Undefined where that does not say all of it: some
 * forks bring their own way.
 */
export async function editorServer(): Promise<EditorServer | undefined> {
  try {
    const text = await fs.readFile(path.join(vscode.env.appRoot, 'product.json'), 'utf8');
    const { commit, quality, serverDataFolderName, updateUrl } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const words = [commit, quality, serverDataFolderName, updateUrl];
    if (!words.every((word) => typeof word === 'string')) return undefined;
    const [ofCommit = '', ofQuality = '', dataFolder = '', url = ''] = words;
    return { commit: ofCommit, quality: ofQuality, dataFolder, updateUrl: url };
  } catch {
    return undefined;
  }
}
