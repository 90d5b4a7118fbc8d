import * as vscode from 'vscode';
import { DisposableStore } from '../disposableStore';

/** What can be seen of a document in one editor. */
interface Place {
  readonly firstLine: number;
  readonly lastLine: number;
  /** The end is to stay in sight. */
  readonly along: boolean;
}

/**
 * Keeps the end of documents of one scheme in sight while they grow; whoever scrolls up stays where they are, until they scroll
 * down to the end again.
 */
export function scrollAlong(scheme: string): DisposableStore {
  const places = new WeakMap<vscode.TextEditor, Place>();
  const store = new DisposableStore();
  store.add(
    vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor, visibleRanges }) => {
      if (textEditor.document.uri.scheme !== scheme) return;
      const firstLine = visibleRanges[0]?.start.line ?? 0;
      const lastLine = visibleRanges.at(-1)?.end.line ?? 0;
      const before = places.get(textEditor) ?? { firstLine, along: true };
      // What we scrolled to may be seen only after the document has grown again. But only people scroll up.
      const along = isAtEnd(textEditor, lastLine) || (before.along && firstLine >= before.firstLine);
      places.set(textEditor, { firstLine, lastLine, along });
    }),
  );
  store.add(
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.uri.scheme !== scheme) return;
      for (const editor of vscode.window.visibleTextEditors) if (editor.document === document) follow(editor, places);
    }),
  );
  return store;
}

function follow(editor: vscode.TextEditor, places: WeakMap<vscode.TextEditor, Place>): void {
  const { document } = editor;
  // A log that was begun anew: nobody's place is there any more, and the editor would stay below its end.
  if ((places.get(editor)?.lastLine ?? 0) >= document.lineCount) {
    places.delete(editor);
    editor.revealRange(document.lineAt(0).range);
  }
  if (places.get(editor)?.along !== false) editor.revealRange(document.lineAt(document.lineCount - 1).range);
}

/** The last line is empty: every line of a log ends. */
function isAtEnd({ document }: vscode.TextEditor, lastLine: number): boolean {
  return lastLine >= document.lineCount - 2;
}
