import { beforeEach, expect, it, vi } from 'vitest';

const scrolled = vi.hoisted(() => [] as ((event: unknown) => void)[]);
const grew = vi.hoisted(() => [] as ((event: unknown) => void)[]);
const visible = vi.hoisted(() => [] as unknown[]);
vi.mock('vscode', () => ({
  window: {
    onDidChangeTextEditorVisibleRanges: (listener: (event: unknown) => void) => scrolled.push(listener),
    visibleTextEditors: visible,
  },
  workspace: { onDidChangeTextDocument: (listener: (event: unknown) => void) => grew.push(listener) },
}));
const { scrollAlong } = await import('../../../src/vscode/provisioningLog/scrollAlong');
scrollAlong('log');

/** An editor that shows ten lines, and says where it is only when it is asked to: as late as a busy one does. */
class Editor {
  readonly document = {
    uri: { scheme: 'log' },
    lineCount: 1,
    lineAt: (line: number) => ({ range: { start: { line }, end: { line } } }),
  };
  firstLine = 0;
  readonly revealRange = ({ start }: { start: { line: number } }): void => {
    if (start.line < this.firstLine) this.firstLine = start.line;
    if (start.line > this.lastLine) this.firstLine = start.line - 9;
  };

  get lastLine(): number {
    return Math.min(this.firstLine + 9, this.document.lineCount - 1);
  }

  get showsEnd(): boolean {
    return this.firstLine + 9 >= this.document.lineCount - 1;
  }

  become(lineCount: number): void {
    this.document.lineCount = lineCount;
    for (const tell of grew) tell({ document: this.document });
  }

  tell(): void {
    const visibleRanges = [{ start: { line: this.firstLine }, end: { line: this.lastLine } }];
    for (const tell of scrolled) tell({ textEditor: this, visibleRanges });
  }

  scrollTo(firstLine: number): void {
    this.firstLine = firstLine;
    this.tell();
  }
}

let editor: Editor;
beforeEach(() => {
  editor = new Editor();
  visible.splice(0, visible.length, editor);
});

it('keeps the end in sight, also when the editor says late where it is', () => {
  editor.tell();
  editor.become(30);
  editor.become(60);
  editor.tell();
  editor.become(300);
  expect(editor.showsEnd).toBe(true);
});

it('leaves people where they scrolled up to, until they are at the end again', () => {
  editor.become(50);
  editor.tell();
  editor.scrollTo(30);
  editor.become(60);
  expect(editor.firstLine).toBe(30);
  editor.scrollTo(40); // down, but not to the end
  editor.become(70);
  expect(editor.firstLine).toBe(40);
  editor.scrollTo(60);
  editor.become(80);
  expect(editor.showsEnd).toBe(true);
});

it('shows a log that was begun anew from its beginning, and then its end, whatever was seen of the one before', () => {
  editor.become(300);
  editor.tell();
  editor.scrollTo(100);
  editor.become(5);
  expect(editor.firstLine).toBe(0);
  editor.become(50);
  expect(editor.showsEnd).toBe(true);
});

it('leaves other documents alone', () => {
  editor.document.uri.scheme = 'file';
  editor.become(50);
  expect(editor.firstLine).toBe(0);
});
